"""What people and programs read: log lines and snapshots."""
