"""Pure bytes: adverts, their authentication, and the frames that announce addresses."""
