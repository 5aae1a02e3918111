package dev.muelle.balancer;

import dev.muelle.balancer.BalancerState.Binding;
import dev.muelle.balancer.Condition.Facts;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Admission;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.CipherSuiteConverter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** A client's connection: requests one after the other, answers in their order. */
@SuppressWarnings({
  "FutureReturnValueIgnored",
  "ReferenceEquality"
}) // a write that fails closes its channel, which is seen there
final class ClientConnection extends ChannelInboundHandlerAdapter {

  private static final int MAX_PIPELINED = 64 * 1024;
  private static final int MAX_HELD = 1024;
  private static final int LINGER_SECONDS = 2;
  private static final Duration DEFAULT_IDLE = Duration.ofSeconds(60);

  private enum State {
    HEAD,
    FORWARDING,
    /** Not admitted: no answer at all. */
    HELD,
    /** The last answer was given; what still comes is thrown away. */
    LINGERING
  }

  private final Endpoint endpoint;
  private final Worker worker;
  private final Channel channel;
  private final AtomicInteger held;
  private final long since;
  private final boolean secure;

  private State state = State.HEAD;
  private ByteBuf pending = Unpooled.EMPTY_BUFFER;
  private @Nullable Exchange exchange;
  private @Nullable Binding binding;

  private Request.@Nullable Session session;

  /** Under which key of the endpoint's bindings the one is that the TLS client asked for. */
  private @Nullable String secureKey;

  private @Nullable BalancerState admitted;
  private boolean headRequest;
  private boolean keep = true;
  private boolean retired;
  private boolean processing;
  private boolean closed;
  private long lastMove;

  /**
   * A connection.
   *
   * @param secure whether a {@link TlsDoor} stands before it
   */
  ClientConnection(
      Endpoint endpoint, Worker worker, Channel channel, AtomicInteger held, boolean secure) {
    this.endpoint = endpoint;
    this.worker = worker;
    this.channel = channel;
    this.held = held;
    this.secure = secure;
    this.since = worker.nanos();
    this.lastMove = since;
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    endpoint.clients.add(this);
    binding = endpoint.shared ? null : endpoint.find("");
    watchIdle(idleTimeout().toNanos());
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    touch();
    ByteBuf in = (ByteBuf) message;
    pending =
        pending.isReadable()
            ? ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(channel.alloc(), pending, in)
            : in;
    process();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    touch();
    Exchange current = exchange;
    if (current != null) {
      current.clientWritable(channel.isWritable());
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake) {
      SslHandler tls = ctx.pipeline().get(SslHandler.class);
      if (!handshake.isSuccess()) {
        handshakeFailed();
      } else if (tls != null) {
        SSLSession agreed = tls.engine().getSession();
        session =
            new Request.Session(
                agreed.getProtocol(),
                CipherSuiteConverter.toOpenSsl(agreed.getCipherSuite(), false));
      }
    }
    ctx.fireUserEventTriggered(event);
  }

  /**
   * The client has said whom it wants, and is about to be shown that one's certificate.
   *
   * @return whether it is let in; otherwise it is held, without any answer
   */
  boolean secured(String key, Binding found) {
    secureKey = key;
    binding = found;
    if (!admits(found)) {
      hold();
      return false;
    }
    return true;
  }

  void handshakeFailed() {
    if (binding != null) {
      binding.balancer().metrics.handshakeError();
    }
  }

  boolean held() {
    return state == State.HELD;
  }

  ByteBuf plainHttpPage() {
    return Answers.plainHttp(worker.clock.instant());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    closed = true;
    endpoint.clients.remove(this);
    if (state == State.HELD) {
      held.decrementAndGet();
    }
    Exchange current = exchange;
    exchange = null;
    if (current != null) {
      if (binding != null && !current.answering()) {
        binding.balancer().metrics.answeredHere(460);
      }
      current.cancel();
    }
    pending.release();
    pending = Unpooled.EMPTY_BUFFER;
  }

  private void process() {
    if (processing || closed) {
      return;
    }
    processing = true;
    try {
      boolean more = true;
      while (more && !closed) {
        more = step();
      }
    } catch (BadMessage e) {
      if (exchange != null) {
        boolean began = exchange.answering();
        exchange.cancel();
        exchange = null;
        if (began) {
          abort();
        } else {
          refuse(e.status);
        }
      } else {
        refuse(e.status);
      }
    } finally {
      processing = false;
    }
    if (!closed) {
      if (!pending.isReadable() && pending != Unpooled.EMPTY_BUFFER) {
        pending.release();
        pending = Unpooled.EMPTY_BUFFER;
      }
      channel.config().setAutoRead(wantsInput());
      channel.flush();
    }
  }

  private boolean wantsInput() {
    Exchange current = exchange;
    if (state != State.FORWARDING || current == null) {
      return true;
    }
    if (current.tunnelling() || !current.requestDone()) {
      return current.wantsBody();
    }
    return pending.readableBytes() < MAX_PIPELINED; // reading on shows when the client goes away
  }

  private boolean step() {
    return switch (state) {
      case HEAD -> {
        skipBlankLine();
        Head head = pending.isReadable() ? Head.read(pending, Head.Limits.REQUEST) : null;
        if (head == null) {
          yield false;
        }
        begin(new Request(head));
        yield true;
      }
      case FORWARDING -> {
        if (exchange != null) {
          exchange.send(pending);
        }
        yield state == State.HEAD;
      }
      case HELD, LINGERING -> {
        pending.skipBytes(pending.readableBytes());
        yield false;
      }
    };
  }

  /** One empty line before a request is tolerated (RFC 9112, section 2.2). */
  private void skipBlankLine() {
    if (pending.readableBytes() >= 2
        && pending.getByte(pending.readerIndex()) == '\r'
        && pending.getByte(pending.readerIndex() + 1) == '\n') {
      pending.skipBytes(2);
    }
  }

  private void begin(Request request) {
    headRequest = request.isHead();
    keep = mayKeep(request);
    Binding found =
        secureKey == null ? endpoint.find(request.host) : endpoint.bindings.get(secureKey);
    if (found != null && found.secure() != secure) {
      channel.close(); // the listener changed to another protocol
      return;
    }
    if (found == null) {
      if (endpoint.shared && !secure) {
        refuse(404);
      } else {
        channel.close();
      }
      return;
    }
    binding = found;
    if (!admits(found)) {
      hold();
      return;
    }
    found.balancer().metrics.request();
    if (found.balancer().wanted.settings().headers().strictest() && request.suspicious()) {
      refuse(400);
      return;
    }
    Facts facts = request.facts(clientAddress(), found.balancer().wanted.host());
    switch (found.listener().action(facts)) {
      case Action.FixedResponse fixed -> fixed(fixed, request);
      case Action.Forward forward -> forward(found, forward, request);
      case Redirect redirect ->
          answerItself(
              redirect.status(),
              close ->
                  Answers.redirect(
                      redirect.status(),
                      redirect.location(facts, secure, found.listener().port()),
                      headRequest,
                      close,
                      worker.clock.instant()),
              request);
    }
  }

  private boolean admits(Binding found) {
    // Like a stateful filter: whom a connection was once opened to, it stays open to.
    if (found.admits() == null || admitted == found.balancer()) {
      return true;
    }
    if (!found.admits().test(new Admission(clientAddress(), found.listener().port()))) {
      return false;
    }
    admitted = found.balancer();
    return true;
  }

  private void hold() {
    if (held.incrementAndGet() > MAX_HELD) {
      held.decrementAndGet();
      channel.close();
      return;
    }
    state = State.HELD;
  }

  private void fixed(Action.FixedResponse fixed, Request request) {
    answerItself(
        fixed.status(),
        close ->
            Answers.answer(
                fixed.status(),
                fixed.contentType(),
                fixed.body(),
                headRequest,
                close,
                worker.clock.instant()),
        request);
  }

  /**
   * An answer that a rule gives.
   *
   * @param answer given whether the connection ends with it
   */
  private void answerItself(int status, Function<Boolean, ByteBuf> answer, Request request) {
    boolean close = !keep || !request.body.done();
    if (binding != null) {
      binding.balancer().metrics.answeredHere(status);
    }
    channel.write(answer.apply(close));
    if (close) {
      linger();
    }
  }

  private void forward(Binding found, Action.Forward forward, Request request) {
    String chosen = forward.choose(worker.random);
    GroupState group = chosen == null ? null : found.balancer().groups.get(chosen);
    if (group == null) {
      if (!request.body.done()) {
        refuse(503);
      } else {
        state = State.FORWARDING;
        answer(503);
      }
      return;
    }
    if (request.expectsContinue && !request.body.done()) {
      channel.writeAndFlush(
          Unpooled.copiedBuffer("HTTP/1.1 100 Continue\r\n\r\n", StandardCharsets.US_ASCII));
    }
    ByteBuf out = buffer();
    request.write(
        out,
        new Request.Arrival(
            clientAddress(),
            clientPort(),
            found.listener().port(),
            found.balancer().wanted.host(),
            session),
        found.balancer().wanted.settings().headers(),
        worker.random,
        worker.clock.instant());
    byte[] head = new byte[out.readableBytes()];
    out.readBytes(head).release();
    state = State.FORWARDING;
    Exchange next = new Exchange(this, worker, found.balancer(), group, request, head);
    exchange = next;
    next.start();
  }

  /** Whether the connection may serve another request after this one. */
  boolean mayKeep(Request request) {
    return request.keepAlive
        && !retired
        && (binding == null
            || worker.nanos() - since
                < binding.balancer().wanted.settings().clientKeepAlive().toNanos());
  }

  void keep(boolean wanted) {
    keep = wanted;
  }

  void targetReady() {
    process();
  }

  void touch() {
    lastMove = worker.nanos();
  }

  ByteBuf buffer() {
    return channel.alloc().buffer();
  }

  void write(ByteBuf out) {
    touch();
    channel.write(out);
    if (!channel.isWritable() && exchange != null) {
      exchange.clientWritable(false);
    }
  }

  void flush() {
    channel.flush();
  }

  /** The exchange has given its whole answer. */
  void finished() {
    exchange = null;
    if (!keep) {
      linger();
    } else {
      state = State.HEAD;
      process();
    }
  }

  /** The exchange ends with an answer of the load balancer's own. */
  void answer(int status) {
    boolean complete = exchange == null || exchange.requestDone();
    exchange = null;
    if (!complete) {
      refuse(status);
      return;
    }
    if (binding != null) {
      binding.balancer().metrics.answeredHere(status);
    }
    channel.writeAndFlush(Answers.page(status, headRequest, !keep, worker.clock.instant()));
    if (keep) {
      state = State.HEAD;
      process();
    } else {
      linger();
    }
  }

  private void refuse(int status) {
    if (binding != null) {
      binding.balancer().metrics.answeredHere(status);
    }
    channel.write(Answers.page(status, headRequest, true, worker.clock.instant()));
    linger();
  }

  /** Ends the connection so that the client still reads the answer, though it may be sending. */
  private void linger() {
    state = State.LINGERING;
    SslHandler tls = channel.pipeline().get(SslHandler.class);
    channel.flush();
    (tls == null ? channel.writeAndFlush(Unpooled.EMPTY_BUFFER) : tls.closeOutbound())
        .addListener(done -> ((DuplexChannel) channel).shutdownOutput());
    channel.config().setAutoRead(true);
    worker.loop.schedule(() -> channel.close(), LINGER_SECONDS, TimeUnit.SECONDS);
  }

  /** Ends the connection in the middle of an answer, so that the client sees it is not whole. */
  void abort() {
    exchange = null;
    channel.flush();
    channel.close();
  }

  void closeAfterWrites() {
    exchange = null;
    channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
  }

  /** From any thread: its endpoint goes away; what is in flight may end. */
  void retire() {
    worker.loop.execute(() -> {
      retired = true;
      if (exchange == null && state == State.HEAD) {
        channel.close();
      } else if (exchange != null && !exchange.answering()) {
        keep = false;
      }
    });
  }

  private String clientAddress() {
    if (channel.remoteAddress() instanceof InetSocketAddress remote) {
      String text = remote.getAddress().getHostAddress();
      int scope = text.indexOf('%');
      return scope < 0 ? text : text.substring(0, scope);
    }
    return "";
  }

  private int clientPort() {
    return channel.remoteAddress() instanceof InetSocketAddress remote ? remote.getPort() : 0;
  }

  private Duration idleTimeout() {
    return binding == null ? DEFAULT_IDLE : binding.balancer().wanted.settings().idleTimeout();
  }

  private void watchIdle(long nanos) {
    worker.loop.schedule(
        () -> {
          if (closed) {
            return;
          }
          long left = idleTimeout().toNanos() - (worker.nanos() - lastMove);
          if (left <= 0) {
            idle();
            left = idleTimeout().toNanos();
          }
          if (!closed) {
            // The timeout may be made shorter meanwhile.
            watchIdle(Math.min(left, TimeUnit.SECONDS.toNanos(1)));
          }
        },
        Math.min(nanos, TimeUnit.SECONDS.toNanos(1)),
        TimeUnit.NANOSECONDS);
  }

  private void idle() {
    Exchange current = exchange;
    if (state == State.FORWARDING && current != null) {
      if (current.tunnelling()) {
        channel.close();
      } else if (!current.requestDone() && !current.answering() && current.wantsBody()) {
        // It is the client that is waited for, not a target that takes no more.
        exchange = null;
        current.cancel();
        refuse(408);
      } else {
        current.timedOut();
      }
      touch();
    } else if (state == State.HEAD && pending.isReadable()) {
      refuse(408);
    } else {
      channel.close();
    }
  }
}
