package dev.muelle.balancer.http2;

import io.netty.handler.codec.http2.DefaultHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Settings;

/** Bounds what the other end's SETTINGS may ask of us. */
final class SettledEncoder extends DefaultHttp2ConnectionEncoder {

  SettledEncoder(Http2Connection connection) {
    super(connection, new Frames());
  }

  /**
   * The other end has said what it takes. Of a table larger than the usual one no use is made: it
   * would be filled with whatever is sent, here too (RFC 7541, section 7.3). A window that becomes
   * too large by this is an error of the connection, not of a stream (RFC 9113, section 6.9.2).
   */
  @Override
  public void remoteSettings(Http2Settings settings) throws Http2Exception {
    Long table = settings.headerTableSize();
    if (table != null) {
      settings.headerTableSize(Math.min(table, Http2CodecUtil.DEFAULT_HEADER_TABLE_SIZE));
    }
    try {
      super.remoteSettings(settings);
    } catch (Http2Exception.StreamException e) {
      throw Http2Exception.connectionError(e.error(), e, "%s", e.getMessage());
    }
  }
}
