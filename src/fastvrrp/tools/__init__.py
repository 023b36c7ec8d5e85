"""The `fastvrrp` command: what operators and developers run by hand."""
