"""The metrics page of AirGradient air sensors."""

from simulator.dialects.airgradient import dust_of
from simulator.dialects.dialect import Dialect, Moment, Shape
from simulator.dialects.marks import bare


def _write(moment: Moment) -> str:
    """Names of the newer firmware, with the blank before values that older ones leave out, and a count of our own."""
    sample, dust = moment.sample, dust_of(moment)
    device = f'{{airgradient_serial_number="{moment.hexadecimal}"}}'
    sensor = f'{{airgradient_serial_number="{moment.hexadecimal}",airgradient_sensor="1"}}'
    degrees = round(sample.temperature_c, 2)
    lines = [
        ("airgradient_info", "info", f'{{airgradient_serial_number="{moment.hexadecimal}"}} 1'),
        ("airgradient_answers", "gauge", f"{device} {moment.serial}"),
        ("airgradient_wifi_rssi_dbm", "gauge", f"{device} {-48 - moment.serial % 9}"),
        ("airgradient_co2_ppm", "gauge", f"{sensor} {bare('co2', round(sample.co2_ppm), 'ppm')}"),
        ("airgradient_pm1_ugm3", "gauge", f"{sensor} {bare('pm1', dust, 'ug/m3')}"),
        ("airgradient_pm2d5_ugm3", "gauge", f"{sensor} {bare('pm2_5', dust + dust // 2, 'ug/m3')}"),
        ("airgradient_pm10_ugm3", "gauge", f"{sensor} {bare('pm10', 2 * dust, 'ug/m3')}"),
        ("airgradient_temperature_celsius", "gauge", f"{device} {bare('temperature', degrees, '°C')}"),
        ("airgradient_humidity_percent", "gauge", f"{device} {bare('humidity', round(sample.humidity_pct, 2), '%')}"),
    ]
    page = "".join(f"# HELP {name} Of the sensor\n# TYPE {name} {kind}\n{name}{value}\n" for name, kind, value in lines)
    return page + "# EOF\n"


DIALECT = Dialect(
    name="airgradient-metrics",
    path="/metrics",
    write=_write,
    channel="airgradient_temperature_celsius",
    shape=Shape.METRICS,
    content_type="application/openmetrics-text; version=1.0.0; charset=utf-8",
)
