from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuthoriseRequest(_message.Message):
    __slots__ = ("payment_id", "order_id", "amount", "currency", "method", "token", "return_url", "description", "gift_cards", "use_wallet", "user_id", "country")
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    RETURN_URL_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    GIFT_CARDS_FIELD_NUMBER: _ClassVar[int]
    USE_WALLET_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    payment_id: str
    order_id: str
    amount: int
    currency: str
    method: str
    token: str
    return_url: str
    description: str
    gift_cards: _containers.RepeatedScalarFieldContainer[str]
    use_wallet: bool
    user_id: str
    country: str
    def __init__(self, payment_id: _Optional[str] = ..., order_id: _Optional[str] = ..., amount: _Optional[int] = ..., currency: _Optional[str] = ..., method: _Optional[str] = ..., token: _Optional[str] = ..., return_url: _Optional[str] = ..., description: _Optional[str] = ..., gift_cards: _Optional[_Iterable[str]] = ..., use_wallet: _Optional[bool] = ..., user_id: _Optional[str] = ..., country: _Optional[str] = ...) -> None: ...

class PaymentId(_message.Message):
    __slots__ = ("payment_id",)
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    payment_id: str
    def __init__(self, payment_id: _Optional[str] = ...) -> None: ...

class RefundRequest(_message.Message):
    __slots__ = ("refund_id", "payment_id", "amount", "to", "user_id")
    REFUND_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    refund_id: str
    payment_id: str
    amount: int
    to: str
    user_id: str
    def __init__(self, refund_id: _Optional[str] = ..., payment_id: _Optional[str] = ..., amount: _Optional[int] = ..., to: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class PaymentPart(_message.Message):
    __slots__ = ("method", "amount", "status", "captured", "refunded")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    method: str
    amount: int
    status: str
    captured: int
    refunded: int
    def __init__(self, method: _Optional[str] = ..., amount: _Optional[int] = ..., status: _Optional[str] = ..., captured: _Optional[int] = ..., refunded: _Optional[int] = ...) -> None: ...

class PaymentState(_message.Message):
    __slots__ = ("payment_id", "status", "action_url", "decline_code", "amount", "captured", "refunded", "currency", "refund_status", "parts", "instructions", "gift_card_balance")
    PAYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ACTION_URL_FIELD_NUMBER: _ClassVar[int]
    DECLINE_CODE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    REFUND_STATUS_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    GIFT_CARD_BALANCE_FIELD_NUMBER: _ClassVar[int]
    payment_id: str
    status: str
    action_url: str
    decline_code: str
    amount: int
    captured: int
    refunded: int
    currency: str
    refund_status: str
    parts: _containers.RepeatedCompositeFieldContainer[PaymentPart]
    instructions: str
    gift_card_balance: int
    def __init__(self, payment_id: _Optional[str] = ..., status: _Optional[str] = ..., action_url: _Optional[str] = ..., decline_code: _Optional[str] = ..., amount: _Optional[int] = ..., captured: _Optional[int] = ..., refunded: _Optional[int] = ..., currency: _Optional[str] = ..., refund_status: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[PaymentPart, _Mapping]]] = ..., instructions: _Optional[str] = ..., gift_card_balance: _Optional[int] = ...) -> None: ...
