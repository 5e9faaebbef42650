"""What was said in Korean, and what it is worth: levels with the evidence for them."""
