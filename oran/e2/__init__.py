"""The E2 interface: aligned PER, E2AP, E2SM-KPM, E2SM-RC, E2SM-CCC and the association that carries them."""
