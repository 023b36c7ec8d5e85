"""The hot loop: sockets, timer and thread around one core."""
