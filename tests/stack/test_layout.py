from __future__ import annotations

from pathlib import Path

import pytest

from shopwright.stack.layout import RUN_BYTES_MAX, BadHome, Layout, ports


class TestHome:
    def test_keeps_everything_inside_where_paths_are_short(self):
        layout = Layout.of(Path("/srv/shop"))

        assert layout.run == Path("/srv/shop/run")

    @pytest.mark.parametrize("home", ["/srv/" + "x" * 200, "/srv/my shop", "/srv/größe", "/srv/a&b?c"])
    def test_puts_sockets_elsewhere_where_the_path_is_long_or_odd(self, home: str):
        layout = Layout.of(Path(home))

        assert len(str(layout.run)) <= RUN_BYTES_MAX
        assert str(layout.run).isascii()
        assert " " not in str(layout.run)

    def test_two_homes_never_share_what_lies_outside(self):
        one, other = (Layout.of(Path(f"/srv/{name}/{'x' * 100}")) for name in ("one", "other"))

        assert one.run != other.run
        assert one.label != other.label

    @pytest.mark.parametrize("home", ['/srv/a"b', "/srv/a;b", "/srv/a#b", "/srv/100%", "/srv/a\nb"])
    def test_refuses_a_name_that_no_configuration_can_hold(self, home: str):
        with pytest.raises(BadHome, match="SHOPWRIGHT_HOME"):
            Layout.of(Path(home))

    def test_says_what_would_help_where_it_cannot_write(self, tmp_path: Path):
        (tmp_path / "file").write_text("not a folder")

        with pytest.raises(BadHome, match=r"cannot write to .*SHOPWRIGHT_HOME"):
            Layout.of(tmp_path / "file").make()

    def test_secrets_and_sockets_are_nobody_elses(self, layout: Layout):
        modes = {folder.stat().st_mode & 0o077 for folder in (layout.secrets, layout.tls, layout.run)}

        assert modes == {0}

    def test_takes_no_runtime_folder_that_somebody_else_may_write(self, layout: Layout, tmp_path: Path):
        layout.run.joinpath("mesh").rmdir()
        layout.run.rmdir()
        layout.run.symlink_to(tmp_path)

        with pytest.raises(BadHome, match="belongs to somebody else"):
            layout.make()


class TestPorts:
    def test_have_defaults(self):
        assert ports({}) == (8080, 8443)

    @pytest.mark.parametrize(
        ("name", "value"), [("SHOPWRIGHT_PORT", "http"), ("SHOPWRIGHT_TLS_PORT", "70000")]
    )
    def test_name_the_setting_that_is_no_port(self, name: str, value: str):
        with pytest.raises(BadHome, match=f"{name}={value} is not a port"):
            ports({name: value})

    def test_must_differ(self):
        with pytest.raises(BadHome, match="are both 9000"):
            ports({"SHOPWRIGHT_PORT": "9000", "SHOPWRIGHT_TLS_PORT": "9000"})
