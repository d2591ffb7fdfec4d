"""A wheel, read without unpacking it: whether its bytes are right, and whether what is in it may be unpacked."""
