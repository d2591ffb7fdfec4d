"""Files of the bundle; they run on the other machine with Python alone, without torchdoctor."""
