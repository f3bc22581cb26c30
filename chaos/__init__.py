"""The real stack and the simulator under one fault after another, and what became of every slot."""
