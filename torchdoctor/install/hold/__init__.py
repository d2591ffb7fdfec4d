"""The hold: files of an environment that make pip and uv keep torch in its family of builds."""
