"""`chamberlog top`: the fleet as it is now, and again and again."""
