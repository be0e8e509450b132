"""The one table: every pair of a state and a command is in it, or is refused by both their names."""

from typing import get_args

import pytest

from shopwright.contracts.orders import OrderStatus
from shopwright.orders.domain import BOUGHT, PAID, UNDECIDED, WrongTransition, check_command
from shopwright.orders.domain.transitions import COMMANDS, TABLE

STATES = get_args(OrderStatus)
ENDED = ("refused", "expired")
PAIRS = [(state, command) for state in STATES for command in COMMANDS]


class TestTable:
    @pytest.mark.parametrize(("state", "command"), [pair for pair in PAIRS if pair[0] in TABLE[pair[1]]])
    def test_leads_where_the_table_says_and_nowhere_else(self, state, command):
        check_command(state, command)

        for after in STATES:
            if after in TABLE[command][state]:
                check_command(state, command, after)
            else:
                with pytest.raises(WrongTransition):
                    check_command(state, command, after)

    @pytest.mark.parametrize(("state", "command"), [pair for pair in PAIRS if pair[0] not in TABLE[pair[1]]])
    def test_refuses_what_is_not_in_it_by_both_names_and_says_when_it_would_be_right(self, state, command):
        with pytest.raises(WrongTransition) as refused:
            check_command(state, command)

        assert (refused.value.order_status, refused.value.wanted) == (state, command)
        assert f"{command} is not for an order that is {state}" in refused.value.detail
        assert all(right in refused.value.detail for right in TABLE[command])

    def test_has_no_command_or_state_that_the_contract_does_not_know(self):
        assert set(TABLE) == set(COMMANDS)
        for row in TABLE.values():
            assert set(row) <= set(STATES)
            assert set().union(*row.values()) <= set(STATES)

    def test_never_brings_an_ended_order_back_nor_a_bought_one_before_its_confirmation(self):
        assert not [row for row in TABLE.values() if set(row) & set(ENDED)]
        after_bought = {
            after for row in TABLE.values() for state in BOUGHT & set(row) for after in row[state]
        }
        assert after_bought <= PAID
        assert not after_bought & UNDECIDED

    def test_reaches_every_state_from_the_first(self):
        reached = {"in_progress"}
        for _ in STATES:
            reached |= {
                after for row in TABLE.values() for state in reached & set(row) for after in row[state]
            }

        assert reached == set(STATES)
