"""The workspace, its settings, and the viewer."""
