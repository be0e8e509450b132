"""Where this installation's own pages are, by every name a browser may use."""

from shopwright.chassis.settings import own_origins


def test_a_shop_with_a_name_has_that_name_alone():
    assert own_origins("https://shop.example/", "") == ("https://shop.example",)


def test_loopback_has_two_names_and_the_first_url_stays_first():
    assert own_origins("http://127.0.0.1:8080", "https://localhost:8443") == (
        "http://127.0.0.1:8080",
        "https://localhost:8443",
        "http://localhost:8080",
        "https://127.0.0.1:8443",
    )
