"""Every known defect of stock WsgiDAV 4.4.0 and cheroot 11.1.2: seen there, and not here."""
