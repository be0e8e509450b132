"""Payments that people make by hand: cash on delivery and bank transfers.

Owns what is to be received and who said that it was. Cash is promised at once and received after the goods
have left; a transfer is waited for, and the goods with it.
"""
