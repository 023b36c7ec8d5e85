"""The tutorial, live: two web servers, one address, real failovers, and a picture of the run."""
