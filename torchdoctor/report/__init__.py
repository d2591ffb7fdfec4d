"""Shows results: on the terminal, as HTML, Markdown and JUnit XML. Each renderer is imported by its path."""
