package dev.muelle.balancer.http2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.DefaultHttp2FrameReader;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FramesTest {

  private final ChannelInboundHandlerAdapter writer = new ChannelInboundHandlerAdapter();
  private final EmbeddedChannel channel = new EmbeddedChannel(writer);
  private final ChannelHandlerContext ctx = channel.pipeline().context(writer);
  private final Frames frames = new Frames();
  private final List<ByteBuf> parts = new ArrayList<>();

  @AfterEach
  void close() {
    frames.close();
    channel.finishAndReleaseAll();
    parts.forEach(part -> assertEquals(0, part.refCnt()));
  }

  private static Http2Headers head(int bytes) {
    return new DefaultHttp2Headers().status("200").add("x", "y".repeat(bytes));
  }

  private ChannelFuture head(int id, int bytes, boolean last) {
    return frames.writeHeaders(ctx, id, head(bytes), 0, last, ctx.newPromise());
  }

  private ChannelFuture data(int id, int bytes, boolean last) {
    ByteBuf part = Unpooled.buffer(bytes).writeZero(bytes);
    parts.add(part);
    return frames.writeData(ctx, id, part, 0, last, ctx.newPromise());
  }

  /** What came out, as the other end reads it, and in how many pieces. */
  private List<String> read() throws Exception {
    frames.passOn(ctx);
    channel.flush();
    ByteBuf all = Unpooled.buffer();
    int pieces = 0;
    for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
      all.writeBytes(out);
      out.release();
      pieces++;
    }
    List<String> seen = new ArrayList<>(List.of(pieces + " pieces"));
    DefaultHttp2FrameReader reader =
        new DefaultHttp2FrameReader(new DefaultHttp2HeadersDecoder(true, 1 << 20));
    while (all.isReadable()) {
      reader.readFrame(ctx, all, new Seen(seen));
    }
    reader.close();
    return seen;
  }

  private static final class Seen extends Http2EventAdapter {

    private final List<String> seen;

    private Seen(List<String> seen) {
      this.seen = seen;
    }

    @Override
    public void onHeadersRead(
        ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean last) {
      seen.add(id + " head " + headers.get("x").length() + (last ? " last" : ""));
    }

    @Override
    public int onDataRead(
        ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean last) {
      seen.add(id + " data " + data.readableBytes() + (last ? " last" : ""));
      return 0;
    }

    @Override
    public void onPingRead(ChannelHandlerContext ctx, long data) {
      seen.add("ping " + data);
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext ctx, int id, long error) {
      seen.add(id + " reset " + error);
    }
  }

  @Test
  void shortAnswersLeaveTogether() throws Exception {
    assertTrue(head(1, 10, false).isSuccess());
    assertTrue(data(1, 512, true).isSuccess());
    head(3, 10, true);
    assertNull(channel.outboundMessages().peek());
    assertEquals(List.of("1 pieces", "1 head 10", "1 data 512 last", "3 head 10 last"), read());
    assertFalse(frames.passOn(ctx), "there is nothing to flush any more");
  }

  @Test
  void framesKeepTheirOrder() throws Exception {
    head(1, 10, false);
    frames.writePing(ctx, false, 7, ctx.newPromise());
    data(1, 100, false);
    frames.writeRstStream(ctx, 1, 8, ctx.newPromise());
    data(3, 5000, false);
    data(3, 0, true);
    assertEquals(
        List.of(
            "7 pieces",
            "1 head 10",
            "ping 7",
            "1 data 100",
            "1 reset 8",
            "3 data 5000",
            "3 data 0 last"),
        read());
  }

  @Test
  void whatIsLongerThanAFrameIsDivided() throws Exception {
    frames.maxFrameSize(16_384);
    frames.headersConfiguration().maxHeaderListSize(1 << 20);
    assertTrue(head(1, 40_000, false).isSuccess());
    data(1, 40_000, true);
    List<String> seen = read();
    assertEquals(
        List.of("1 head 40000", "1 data 16384", "1 data 16384", "1 data 7232 last"),
        seen.subList(1, seen.size()));
  }

  @Test
  void aHeadThatTheOtherEndDoesNotTakeLeavesNoTrace() throws Exception {
    frames.headersConfiguration().maxHeaderListSize(100);
    head(1, 10, false);
    assertFalse(head(3, 1000, true).isSuccess());
    data(1, 5, true);
    assertEquals(List.of("1 pieces", "1 head 10", "1 data 5 last"), read());
  }

  @Test
  void acknowledgementsThatNobodyReadsEndTheConnection() {
    channel
        .pipeline()
        .addFirst(
            new ChannelOutboundHandlerAdapter() {
              @Override
              public void flush(ChannelHandlerContext stuck) {
                // the other end's window is shut
              }
            });
    for (int i = 0; i < 10_000; i++) {
      frames.writePing(ctx, true, i, ctx.newPromise());
    }
    assertTrue(channel.isOpen());
    frames.writeSettingsAck(ctx, ctx.newPromise());
    assertFalse(channel.isOpen());
  }

  @Test
  void nothingIsKeptForAConnectionThatIsGone() {
    head(1, 10, false);
    frames.close();
    ByteBuf late = Unpooled.wrappedBuffer(new byte[1]);
    assertFalse(frames.writeData(ctx, 1, late, 0, true, ctx.newPromise()).isSuccess());
    assertFalse(head(3, 1, true).isSuccess());
    assertEquals(0, late.refCnt());
  }
}
