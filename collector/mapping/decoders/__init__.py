"""Decoders: each makes objects, lists, texts and numbers of one kind of answer, on which every expression works."""
