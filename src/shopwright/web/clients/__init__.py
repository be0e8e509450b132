"""Whom web calls. Every call names its service, its path and the longest it may take.

A remote call looks remote; a refusal is raised as its own class. Answers are read tolerantly: unknown
members are ignored and late ones have defaults, because a service may be a release ahead or behind.
"""
