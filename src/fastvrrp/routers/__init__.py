"""The virtual routers of one engine, on the cold side: what runs, where, and what a new
configuration makes of it."""
