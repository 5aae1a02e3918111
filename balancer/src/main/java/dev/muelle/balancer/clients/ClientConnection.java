package dev.muelle.balancer.clients;

import dev.muelle.balancer.exchanges.Client;
import dev.muelle.balancer.exchanges.Exchange;
import dev.muelle.balancer.exchanges.Verdict;
import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Chunks;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.messages.Answer;
import dev.muelle.balancer.messages.Ledger;
import dev.muelle.balancer.messages.Request;
import dev.muelle.balancer.messages.Response;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.visitors.Speaker;
import dev.muelle.balancer.visitors.Stillness;
import dev.muelle.balancer.visitors.Visitor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A client's connection of HTTP/1: requests one after the other, answers in their order. */
@SuppressWarnings({
  "FutureReturnValueIgnored",
  "ReferenceEquality"
}) // a write that fails closes its channel, which is seen there
public final class ClientConnection extends ChannelInboundHandlerAdapter
    implements Client, Speaker {

  private static final int MAX_PIPELINED = 64 * 1024;

  /** An answer up to so many bytes is sent in one piece. */
  private static final int ONE_PIECE = 1024;

  private enum State {
    HEAD,
    /** A gate is looking at the request. */
    ASKING,
    FORWARDING,
    /** Not admitted: no answer at all. */
    HELD,
    /** The last answer was given; what still comes is thrown away. */
    LINGERING
  }

  private final Visitor visitor;
  private final Worker worker;
  private final Channel channel;

  private State state = State.HEAD;
  private ByteBuf pending = Unpooled.EMPTY_BUFFER;

  /** The head of an answer, written with what comes after it. */
  private @Nullable ByteBuf begun;

  private @Nullable Exchange exchange;
  private @Nullable Request request;

  /** What is to be done now that a gate has looked. */
  private @Nullable Verdict verdict;

  private boolean headRequest;
  private boolean keep = true;
  private boolean retired;
  private boolean processing;
  private boolean closed;

  /** Whether something was written that nobody was told to send yet. */
  private boolean unsent;

  private final Stillness stillness = new Stillness();

  ClientConnection(Visitor visitor) {
    this.visitor = visitor;
    this.worker = visitor.worker;
    this.channel = visitor.channel;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    touch();
    ByteBuf in = (ByteBuf) message;
    visitor.moved(in.readableBytes());
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
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    closed = true;
    Exchange current = exchange;
    exchange = null;
    if (current != null) {
      if (!current.answering()) {
        visitor.answeredHere(460);
      }
      ended(460);
      current.cancel();
    } else if (state == State.ASKING) {
      visitor.answeredHere(460);
      ended(460);
    }
    pending.release();
    pending = Unpooled.EMPTY_BUFFER;
    ByteBuf head = begun;
    begun = null;
    if (head != null) {
      head.release();
    }
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
        visitor.malformed(e);
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
      flush();
    }
  }

  private boolean wantsInput() {
    Exchange current = exchange;
    if (state == State.ASKING) {
      return pending.readableBytes() < MAX_PIPELINED;
    }
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
      case ASKING -> {
        Verdict found = verdict;
        Request asked = request;
        if (found == null || asked == null) {
          yield false;
        }
        verdict = null;
        state = State.HEAD;
        act(asked, found);
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

  private void begin(Request asked) {
    request = asked;
    headRequest = asked.isHead();
    act(asked, Verdict.of(asked, visitor));
  }

  private void act(Request asked, Verdict found) {
    keep = mayKeep(asked);
    switch (found) {
      case Verdict.Nobody nobody -> channel.close();
      case Verdict.Hold hold -> {
        visitor.hold();
        state = State.HELD;
      }
      case Verdict.Refused refused -> refuse(refused.status());
      case Verdict.Asked gated -> {
        state = State.ASKING;
        gated.ask(
            worker,
            next -> {
              verdict = next;
              touch();
              process();
            });
      }
      case Verdict.Answered answered -> {
        keep &= asked.body.done();
        say(answered.answer());
      }
      case Verdict.Forwarded to -> {
        if (asked.expectsContinue && !asked.body.done()) {
          channel.writeAndFlush(
              Unpooled.copiedBuffer("HTTP/1.1 100 Continue\r\n\r\n", StandardCharsets.US_ASCII));
        }
        state = State.FORWARDING;
        Exchange next = new Exchange(this, worker, asked, to);
        exchange = next;
        next.start();
      }
    }
  }

  /** Whether the connection may serve another request after this one. */
  private boolean mayKeep(Request asked) {
    return asked.keepAlive && !asked.alone && !retired && visitor.mayStay();
  }

  private ByteBuf wire(Answer answer) {
    ByteBuf out = answer.edited(visitor.edits()).wire(headRequest, !keep, worker.clock.instant());
    noteSent(out);
    return out;
  }

  private void noteSent(ByteBuf out) {
    visitor.moved(out.readableBytes());
    Ledger ledger = request == null ? null : request.ledger;
    if (ledger != null) {
      ledger.sent(out.readableBytes());
    }
  }

  /** The request is over: with what the target said if it began to, or else with this. */
  private void ended(int status) {
    Ledger ledger = request == null ? null : request.ledger;
    if (ledger != null) {
      ledger.end(ledger.targetStatus() == 0 ? status : ledger.targetStatus());
    }
    request = null; // a connection may be idle for long
  }

  /** Answers in the load balancer's own words. */
  private void say(Answer answer) {
    visitor.answeredHere(answer.status());
    channel.write(wire(answer));
    unsent = true;
    ended(answer.status());
    if (!keep) {
      linger();
    }
  }

  @Override
  public void begin(Response answer) {
    Request asked = request;
    keep = !answer.mustClose && asked != null && asked.body.done() && mayKeep(asked);
    answer.edits = visitor.edits();
    ByteBuf out = channel.alloc().buffer(ONE_PIECE);
    answer.write(out, keep);
    begun = out;
  }

  @Override
  public void pass(Response answer, ByteBuf in) {
    switch (answer.recode) {
      case AS_IS -> {
        int bytes = answer.body.take(in);
        ByteBuf head = begun;
        if (head != null && bytes <= head.writableBytes()) {
          head.writeBytes(in, bytes); // copying it costs less than writing two pieces
        } else {
          write(in.readRetainedSlice(bytes));
        }
      }
      case FROM_CHUNKS -> write(answer.payload(in, channel.alloc()));
      case TO_CHUNKS -> {
        int bytes = answer.body.take(in);
        write(Chunks.start(bytes));
        write(in.readRetainedSlice(bytes));
        write(Chunks.end());
      }
    }
  }

  @Override
  public void targetReady() {
    process();
  }

  @Override
  public void touch() {
    stillness.moved();
  }

  /** Writes the answer's head, if it still waits for what follows. */
  private void writeBegun() {
    ByteBuf head = begun;
    if (head != null) {
      begun = null;
      write(head);
    }
  }

  private void write(ByteBuf out) {
    writeBegun();
    touch();
    noteSent(out);
    channel.write(out);
    unsent = true;
    if (!channel.isWritable() && exchange != null) {
      exchange.clientWritable(false);
    }
  }

  @Override
  public void tunnel(ByteBuf in) {
    write(in);
  }

  @Override
  public void flush() {
    writeBegun();
    if (unsent) {
      unsent = false;
      worker.flush(channel);
    }
  }

  @Override
  public void finished(Response answer) {
    exchange = null;
    if (answer.recode == Response.Recode.TO_CHUNKS) {
      write(Chunks.last(null));
    }
    writeBegun();
    ended(answer.status);
    next();
  }

  private void next() {
    if (keep) {
      state = State.HEAD;
      process();
    } else {
      linger();
    }
  }

  @Override
  public void answer(int status) {
    boolean complete = exchange == null || exchange.requestDone();
    exchange = null;
    if (!complete) {
      refuse(status);
      return;
    }
    visitor.answeredHere(status);
    channel.writeAndFlush(wire(Answer.page(status)));
    ended(status);
    next();
  }

  private void refuse(int status) {
    keep = false;
    say(Answer.page(status));
  }

  private void linger() {
    state = State.LINGERING;
    visitor.linger();
  }

  @Override
  public void abort() {
    exchange = null;
    writeBegun();
    ended(502);
    channel.flush();
    channel.close();
  }

  @Override
  public void tunnelClosed() {
    exchange = null;
    writeBegun();
    ended(101);
    channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void retire() {
    retired = true;
    if (exchange == null && state == State.HEAD) {
      channel.close();
    } else if (exchange != null && !exchange.answering()) {
      keep = false;
    }
  }

  @Override
  public void watch() {
    if (stillness.nanos(worker.nanos()) >= visitor.idleNanos()) {
      idle();
    }
  }

  private void idle() {
    Exchange current = exchange;
    if (state == State.ASKING) {
      return; // gates have their own time
    }
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
