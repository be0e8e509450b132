"""What operators read of a dead letter: enough to understand it, nothing of a person."""

from shopwright.chassis.deadletters import masked


class TestMasking:
    def test_hides_names_addresses_and_phones_by_their_fields_however_deep(self):
        payload = {
            "number": "SW-1", "email": "ada@example.com", "name": "Ada",
            "address": {"name": "Ada", "line1": "1 Lane", "city": "Berlin", "phone": "+49 1",
                        "country": "DE"},
            "lines": [{"sku": "MUG", "quantity": 2}], "reason": "Ada Buyer called", "note": None,
        }  # fmt: skip

        shown = masked(payload)

        assert shown["address"] == {
            "name": "***", "line1": "***", "city": "***", "phone": "***", "country": "DE",
        }  # fmt: skip
        assert (shown["number"], shown["lines"], shown["reason"]) == ("SW-1", payload["lines"], "***")
        assert not {"Ada", "ada@example.com", "Berlin"} & set(str(shown).split("'"))

    def test_hides_an_address_for_mail_in_any_text_such_as_an_error(self):
        error = "SMTPRecipientsRefused: <ada.buyer+shop@mail.example.com>: 550 no such user"

        assert masked(error) == "SMTPRecipientsRefused: <***>: 550 no such user"
        assert masked({"detail": ["to ada@example.com"]}) == {"detail": ["to ***"]}

    def test_hides_what_would_open_something_to_whoever_reads_it(self):
        opens = {
            "token": "tok_1", "payment_token": "tok_2", "reset_url": "https://shop/reset?token=3",
            "cart_id": "c4", "draft_id": "d5", "code": "K7QM", "password": "six", "full_name": "Ada Buyer",
        }  # fmt: skip

        assert set(masked(opens).values()) == {"***"}
        assert masked({"order_id": "o1", "sku": "MUG"}) == {"order_id": "o1", "sku": "MUG"}
