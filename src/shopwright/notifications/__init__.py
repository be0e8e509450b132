"""Notifications: who is told what, by which way, and that it really went out.

Owns: notifications, the queue of mails, what people want to be told, the local mailbox. Promises: one
notification per event, whatever is repeated; a mail is tried until it is out or an operator has it; a mail
that a crash makes go out twice has the same Message-ID, and the local mailbox shows it once; nothing of a
person is left once the account is erased.
Publishes: NotificationQueued, read by its own delivery workers only.
Consumes: UserRegistered, PasswordChanged, PasswordResetRequested, UserErased (users); OrderConfirmed,
OrderCancelled, OrderShipped, OrderRefunded, OrderDrafted, PaymentRequested, TransferAwaited (orders).
Calls: nobody; mails leave by SMTP where one is configured.
"""
