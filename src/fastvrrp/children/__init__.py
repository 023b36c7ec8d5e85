"""Programs that run beside us: started, watched, stopped, and checked before."""
