package dev.muelle.balancer.http2;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;

/** Of heads with a priority only the head counts: RFC 9113 has given up what the rest was for. */
public class HeadEvents extends Http2EventAdapter {

  @Override
  public final void onHeadersRead(
      ChannelHandlerContext ctx,
      int id,
      Http2Headers headers,
      int dependency,
      short weight,
      boolean exclusive,
      int padding,
      boolean last)
      throws Http2Exception {
    onHeadersRead(ctx, id, headers, padding, last);
  }
}
