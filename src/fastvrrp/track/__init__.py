"""Trackers: what a virtual router watches, and what that does to its priority."""
