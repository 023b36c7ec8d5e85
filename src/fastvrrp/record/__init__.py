"""Recordings: what happened to an engine, as lines of JSON (docs/record.md), and their replay."""
