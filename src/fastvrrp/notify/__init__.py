"""Notification: what is told to the world when a virtual router changes state."""
