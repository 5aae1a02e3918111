package dev.muelle.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Elements of the sets and maps that packet filters of one network namespace look addresses up in,
 * changed and read by messages to the kernel: what {@code nft add element} does, without a process,
 * and {@code nft list set}, which cannot read every set that the kernel can fill. The socket
 * belongs to the namespace in which it was opened. For one thread at a time.
 *
 * @see <a
 *     href="https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/include/uapi/linux/netfilter/nf_tables.h">nf_tables.h</a>
 */
public final class FilterSocket implements AutoCloseable {

  private static final short BATCH_BEGIN = 16;
  private static final short BATCH_END = 17;
  private static final int NFTABLES = 10; // the subsystem's number
  private static final short NEW_ELEMENTS = NFTABLES << 8 | 12;
  private static final short GET_SETS = NFTABLES << 8 | 10;
  private static final short GET_ELEMENTS = NFTABLES << 8 | 13;
  private static final short DELETE_ELEMENTS = NFTABLES << 8 | 14;
  private static final byte INET = 1;

  private static final int NESTED = 0x8000;
  private static final int LIST_TABLE = 1;
  private static final int LIST_SET = 2;
  private static final int SET_NAME = 2;
  private static final int LIST_ELEMENTS = 3 | NESTED;
  private static final int LIST_ELEMENT = 1 | NESTED;
  private static final int ELEMENT_KEY = 1 | NESTED;
  private static final int ELEMENT_DATA = 2 | NESTED;
  private static final int ELEMENT_KEY_END = 10 | NESTED;
  private static final int ELEMENT_EXPRESSION = 7;
  private static final int EXPRESSION_DATA = 2;
  private static final int COUNTER_BYTES = 1;
  private static final int COUNTER_PACKETS = 2;
  private static final int DATA_VALUE = 1;
  private static final int DATA_VERDICT = 2 | NESTED;
  private static final int VERDICT_CODE = 1;
  private static final int VERDICT_CHAIN = 2;
  private static final int JUMP = -3;

  private static final int BUFFER = 64 << 10;

  private final int fd;
  private int sequence;

  /**
   * An element that is to come or to go.
   *
   * @param key each part padded to four bytes with zeros
   * @param end of each part's range, which begins with the key's, for a set of intervals; else null
   * @param value of a map's element that comes, else null
   */
  public record Element(
      boolean added, String set, byte[] key, byte @Nullable [] end, @Nullable Value value) {}

  /**
   * An element that there is.
   *
   * @param key as it was added, or as packets made it
   * @param packets that the kernel counted for it; 0 in a set that does not count
   */
  public record Counted(byte[] key, long packets, long bytes) {}

  /** What a map leads to. */
  public sealed interface Value {

    /** A chain that judges the packet. */
    record Jump(String chain) implements Value {}

    /** As the map's type is. */
    record Data(byte[] bytes) implements Value {}
  }

  private FilterSocket(int fd) {
    this.fd = fd;
  }

  /** Opens one in the network namespace of the calling operating-system thread. */
  public static FilterSocket open() {
    return new FilterSocket(Syscalls.filterSocket());
  }

  /**
   * Makes changes, all of them or none.
   *
   * @param table of the family {@code inet}
   * @throws LinuxException if the kernel refuses one
   */
  public void apply(String table, List<Element> elements) {
    if (elements.isEmpty()) {
      return;
    }
    ByteArrayOutputStream batch = new ByteArrayOutputStream();
    int first = ++sequence;
    batch.writeBytes(bound(BATCH_BEGIN));
    for (int i = 0; i < elements.size(); i++) {
      boolean last = i == elements.size() - 1;
      sequence++;
      batch.writeBytes(message(table, elements.get(i), last));
    }
    int acknowledged = sequence++;
    batch.writeBytes(bound(BATCH_END));
    send(batch.toByteArray(), first, acknowledged);
  }

  /**
   * What is in a set. If it changes meanwhile, an element may be missing or there twice.
   *
   * @param table of the family {@code inet}
   * @throws LinuxException if there is no such set
   */
  public List<Counted> elements(String table, String set) {
    List<Counted> all = new ArrayList<>();
    NetlinkMessage message = asked(GET_ELEMENTS, table);
    message.put(LIST_SET, NetlinkMessage.text(set));
    dump(
        message,
        attribute -> {
          if (attribute.type() == (LIST_ELEMENTS & ~NESTED)) {
            Attribute.all(attribute.value()).forEach(one -> all.add(counted(one.value())));
          }
        });
    return all;
  }

  /**
   * The names of the sets and maps of a table.
   *
   * @param table of the family {@code inet}
   */
  public List<String> sets(String table) {
    List<String> all = new ArrayList<>();
    dump(
        asked(GET_SETS, table),
        attribute -> {
          if (attribute.type() == SET_NAME) {
            all.add(StandardCharsets.UTF_8.decode(attribute.value()).toString().replace("\0", ""));
          }
        });
    return all;
  }

  private static NetlinkMessage asked(short type, String table) {
    NetlinkMessage message = new NetlinkMessage(1024, type, NetlinkMessage.NLM_F_DUMP);
    message.bytes(INET, (byte) 0, (byte) 0, (byte) 0);
    message.put(LIST_TABLE, NetlinkMessage.text(table));
    return message;
  }

  /** Shows all attributes of all that is answered. */
  private void dump(NetlinkMessage message, Consumer<Attribute> show) {
    int asked = ++sequence;
    try (Arena arena = Arena.ofConfined()) {
      byte[] request = message.finish(asked);
      MemorySegment out = arena.allocate(request.length, Integer.BYTES);
      MemorySegment.copy(request, 0, out, JAVA_BYTE, 0, request.length);
      Syscalls.send(fd, out);
      MemorySegment in = arena.allocate(BUFFER, Integer.BYTES);
      boolean more = true;
      while (more) {
        long length = Syscalls.receive(fd, in);
        ByteBuffer answer = in.asSlice(0, length).asByteBuffer().order(ByteOrder.nativeOrder());
        more = read(answer, asked, show);
      }
    }
  }

  /** Reads one answer of several; gives whether there are more. */
  private static boolean read(ByteBuffer answer, int asked, Consumer<Attribute> show) {
    int head = NetlinkMessage.HEADER + Integer.BYTES;
    while (answer.remaining() >= NetlinkMessage.HEADER) {
      int begin = answer.position();
      int size = answer.getInt(begin);
      short type = answer.getShort(begin + Integer.BYTES);
      if (answer.getInt(begin + 2 * Integer.BYTES) == asked) { // what is older was given up
        if (type == NetlinkMessage.NLMSG_DONE) {
          return false;
        }
        if (type == NetlinkMessage.NLMSG_ERROR) {
          int error = -answer.getInt(begin + NetlinkMessage.HEADER);
          throw new LinuxException("nftables", error, Syscalls.reason(error));
        }
        Attribute.all(part(answer, begin + head, size - head)).forEach(show);
      }
      answer.position(Math.min(answer.limit(), begin + NetlinkMessage.aligned(size)));
    }
    return true;
  }

  private static Counted counted(ByteBuffer element) {
    byte[] key = {};
    long packets = 0;
    long bytes = 0;
    for (Attribute one : Attribute.all(element)) {
      if (one.type() == (ELEMENT_KEY & ~NESTED)) {
        ByteBuffer value = Attribute.of(one.value(), DATA_VALUE);
        key = new byte[value.remaining()];
        value.get(key);
      } else if (one.type() == ELEMENT_EXPRESSION) {
        ByteBuffer counter = Attribute.of(one.value(), EXPRESSION_DATA);
        packets = Attribute.of(counter, COUNTER_PACKETS).order(ByteOrder.BIG_ENDIAN).getLong();
        bytes = Attribute.of(counter, COUNTER_BYTES).order(ByteOrder.BIG_ENDIAN).getLong();
      }
    }
    return new Counted(key, packets, bytes);
  }

  private static ByteBuffer part(ByteBuffer of, int from, int length) {
    return of.slice(from, length).order(ByteOrder.nativeOrder());
  }

  /** An attribute of a message. */
  private record Attribute(int type, ByteBuffer value) {

    private static final int HEAD = 4;
    private static final int FLAGS = 0xc000; // nested, in network order

    static List<Attribute> all(ByteBuffer in) {
      List<Attribute> all = new ArrayList<>();
      int at = 0;
      while (at + HEAD <= in.limit()) {
        int size = Short.toUnsignedInt(in.getShort(at));
        int type = Short.toUnsignedInt(in.getShort(at + Short.BYTES)) & ~FLAGS;
        all.add(new Attribute(type, part(in, at + HEAD, size - HEAD)));
        at += NetlinkMessage.aligned(size);
      }
      return all;
    }

    /** The value of the one of a type, which must be there. */
    static ByteBuffer of(ByteBuffer in, int type) {
      return all(in).stream()
          .filter(one -> one.type() == type)
          .map(Attribute::value)
          .findFirst()
          .orElseThrow();
    }
  }

  private byte[] bound(short type) {
    NetlinkMessage message = new NetlinkMessage(NetlinkMessage.HEADER + Integer.BYTES, type, 0);
    message.bytes((byte) 0, (byte) 0, (byte) 0, (byte) NFTABLES); // the number in network order
    return message.finish(sequence);
  }

  private byte[] message(String table, Element element, boolean acknowledge) {
    NetlinkMessage message =
        new NetlinkMessage(
            1024,
            element.added() ? NEW_ELEMENTS : DELETE_ELEMENTS,
            (element.added() ? NetlinkMessage.NLM_F_CREATE : 0)
                | (acknowledge ? NetlinkMessage.NLM_F_ACK : 0));
    message.bytes(INET, (byte) 0, (byte) 0, (byte) 0);
    message.put(LIST_TABLE, NetlinkMessage.text(table));
    message.put(LIST_SET, NetlinkMessage.text(element.set()));
    int list = message.begin(LIST_ELEMENTS);
    int one = message.begin(LIST_ELEMENT);
    int key = message.begin(ELEMENT_KEY);
    message.put(DATA_VALUE, element.key());
    message.end(key);
    if (element.end() != null) {
      int end = message.begin(ELEMENT_KEY_END);
      message.put(DATA_VALUE, element.end());
      message.end(end);
    }
    if (element.value() != null) {
      int data = message.begin(ELEMENT_DATA);
      value(message, element.value());
      message.end(data);
    }
    message.end(one);
    message.end(list);
    return message.finish(sequence);
  }

  private static void value(NetlinkMessage message, Value value) {
    switch (value) {
      case Value.Data(byte[] bytes) -> message.put(DATA_VALUE, bytes);
      case Value.Jump(String chain) -> {
        int verdict = message.begin(DATA_VERDICT);
        message.put(VERDICT_CODE, ByteBuffer.allocate(Integer.BYTES).putInt(JUMP).array());
        message.put(VERDICT_CHAIN, NetlinkMessage.text(chain));
        message.end(verdict);
      }
    }
  }

  /** Sends, and waits for the answer to the last message, or for a refusal of any. */
  private void send(byte[] batch, int first, int acknowledged) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(batch.length, Integer.BYTES);
      MemorySegment.copy(batch, 0, out, JAVA_BYTE, 0, batch.length);
      Syscalls.send(fd, out);
      MemorySegment in = arena.allocate(BUFFER, Integer.BYTES);
      while (true) {
        long length = Syscalls.receive(fd, in);
        ByteBuffer answer = in.asSlice(0, length).asByteBuffer().order(ByteOrder.nativeOrder());
        while (answer.remaining() >= NetlinkMessage.HEADER + Integer.BYTES) {
          int begin = answer.position();
          int size = answer.getInt(begin);
          short type = answer.getShort(begin + Integer.BYTES);
          int about = answer.getInt(begin + 2 * Integer.BYTES);
          if (type == NetlinkMessage.NLMSG_ERROR && about >= first) { // what is older was given up
            int error = -answer.getInt(begin + NetlinkMessage.HEADER);
            if (error != 0) {
              throw new LinuxException("nftables", error, Syscalls.reason(error));
            }
            if (about == acknowledged) {
              return;
            }
          }
          answer.position(Math.min(answer.limit(), begin + NetlinkMessage.aligned(size)));
        }
      }
    }
  }

  @Override
  public void close() {
    Syscalls.close(fd);
  }
}
