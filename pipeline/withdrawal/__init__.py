"""Take a child or a recording out of a study, everywhere, and prove it with a listing."""
