"""What is made of the documents, and what of the documents is made: schema page, API reference, the site."""
