"""Users: who somebody is, how they prove it, what they may do.

Owns: accounts, passwords, sessions with their refresh tokens, addresses, the signing of access tokens.
Promises: a refresh token works once (a second use ends the whole session); passwords are stored by bcrypt
only; an unknown e-mail costs the same work and gets the same answer as a wrong password. Publishes:
UserRegistered, PasswordChanged, PasswordResetRequested, UserErased. Consumes: nothing. Calls: nobody.
"""
