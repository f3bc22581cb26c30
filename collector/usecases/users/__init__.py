"""People of an organization: how they come to be there, sign in, change and forget passwords, and leave.

Nothing here says to a stranger whether an address is known: answers and the time that they take are the same.
"""
