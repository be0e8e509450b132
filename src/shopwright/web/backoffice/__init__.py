"""Back office: what staff works with all day. Every page needs a staff session; scopes decide what is
shown.
"""
