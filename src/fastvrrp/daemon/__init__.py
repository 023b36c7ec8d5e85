"""The daemon `fastvrrpd`: a small parent that watches, and the VRRP process that does the work."""
