"""The pure part: virtual routers as C structs, time as an argument, acts as the only output."""
