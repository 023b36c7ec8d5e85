"""The kernel's side of a virtual router: links, addresses, and the bytes that change them."""
