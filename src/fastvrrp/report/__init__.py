"""What people and programs are told: log lines, snapshots, changes of state."""
