package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

/** With the tree a filter says what it said without. */
class FilterTreeTest {

  private static final int X86_64 = 0xC000003E;
  private static final int I386 = 0x40000003;
  private static final int X32 = 0x40000000;
  private static final int ALLOW = 0x7FFF0000;

  /** As the kernel runs one on {@code struct seccomp_data}. */
  private static final class Machine {
    int steps;

    int run(byte[] filter, ByteBuffer call) {
      ByteBuffer code = ByteBuffer.wrap(filter).order(ByteOrder.nativeOrder());
      int accumulator = 0;
      steps = 0;
      for (int at = 0; ; at++) {
        steps++;
        int operation = code.getShort(at * 8);
        int value = code.getInt(at * 8 + 4);
        boolean yes;
        switch (operation) {
          case 0x20 -> {
            accumulator = call.getInt(value);
            continue;
          }
          case 0x54 -> {
            accumulator &= value;
            continue;
          }
          case 0x05 -> {
            at += value;
            continue;
          }
          case 0x06 -> {
            return value;
          }
          case 0x15 -> yes = accumulator == value;
          case 0x25 -> yes = Integer.compareUnsigned(accumulator, value) > 0;
          case 0x35 -> yes = Integer.compareUnsigned(accumulator, value) >= 0;
          case 0x45 -> yes = (accumulator & value) != 0;
          default -> throw new AssertionError("operation " + operation);
        }
        at += Byte.toUnsignedInt(code.get(at * 8 + (yes ? 2 : 3)));
      }
    }
  }

  private static ByteBuffer call(int architecture, int number, long argument) {
    return ByteBuffer.allocate(64)
        .order(ByteOrder.nativeOrder())
        .putInt(0, number)
        .putInt(4, architecture)
        .putLong(16, argument);
  }

  /** A linear filter as libseccomp writes them, for two architectures. */
  private static final class Writer {
    private final List<int[]> code = new ArrayList<>();
    private final RandomGenerator random;

    Writer(RandomGenerator random) {
      this.random = random;
    }

    private void add(int operation, int yes, int no, int value) {
      code.add(new int[] {operation, yes, no, value});
    }

    byte[] write() {
      List<int[]> one = calls();
      List<int[]> other = calls();
      add(0x20, 0, 0, 4);
      add(0x15, 1, 0, X86_64);
      add(0x05, 0, 0, one.size());
      code.addAll(one);
      add(0x15, 1, 0, I386);
      add(0x06, 0, 0, 0); // kill
      code.addAll(other);
      ByteBuffer out = ByteBuffer.allocate(code.size() * 8).order(ByteOrder.nativeOrder());
      for (int[] each : code) {
        out.putShort((short) each[0]).put((byte) each[1]).put((byte) each[2]).putInt(each[3]);
      }
      return out.array();
    }

    private List<int[]> calls() {
      List<int[]> all = new ArrayList<>();
      all.add(new int[] {0x20, 0, 0, 0});
      all.add(new int[] {0x35, 0, 1, X32}); // calls of x32 are refused
      all.add(new int[] {0x06, 0, 0, 0x50026});
      for (int number = 0; number < 600; number++) {
        int what = random.nextInt(20);
        if (what < 15) {
          all.add(new int[] {0x15, 0, 1, number});
          all.add(new int[] {0x06, 0, 0, what == 0 ? 0x50026 : ALLOW});
        } else if (what == 15) { // by its first argument
          all.add(new int[] {0x15, 0, 6, number});
          all.add(new int[] {0x20, 0, 0, 16});
          all.add(new int[] {0x54, 0, 0, 0x7E020000});
          all.add(new int[] {0x15, 0, 1, 0});
          all.add(new int[] {0x06, 0, 0, ALLOW});
          all.add(new int[] {0x45, 0, 0, 1});
          all.add(new int[] {0x06, 0, 0, 0x50001});
        }
      }
      all.add(new int[] {0x06, 0, 0, 0x50001});
      return all;
    }
  }

  private static void same(byte[] filter, byte[] planted) {
    Machine machine = new Machine();
    for (int architecture : new int[] {X86_64, I386, 0xC00000B7, 0x40000028, 0, -1}) {
      for (int number = -2; number < 1100; number++) {
        for (int call : new int[] {number, number | X32, number | 0x80000000}) {
          for (long argument : new long[] {0, 0x20001, -1}) {
            ByteBuffer data = call(architecture, call, argument);
            assertEquals(
                machine.run(filter, data),
                machine.run(planted, data),
                () -> Integer.toHexString(architecture) + " " + call + " " + argument);
          }
        }
      }
    }
  }

  @Test
  void anyFilterSaysTheSame() {
    for (long seed = 0; seed < 3; seed++) {
      byte[] filter =
          new Writer(RandomGeneratorFactory.of("L64X128MixRandom").create(seed)).write();
      same(filter, FilterTree.before(filter));
    }
  }

  @Test
  void anAllowedCallIsAllowedAfterAFewSteps() {
    byte[] filter = new Writer(RandomGeneratorFactory.of("L64X128MixRandom").create(1)).write();
    byte[] planted = FilterTree.before(filter);
    Machine machine = new Machine();
    int most = 0;
    for (int number = 0; number < 600; number++) {
      if (machine.run(filter, call(X86_64, number, 0)) == ALLOW
          && machine.run(filter, call(X86_64, number, -1)) == ALLOW) {
        machine.run(planted, call(X86_64, number, 0));
        most = Math.max(most, machine.steps);
      }
    }
    assertTrue(most > 0 && most < 24, "steps: " + most);
  }

  @Test
  void whatWouldBeTooLongStaysAsItIs() {
    ByteBuffer filter = ByteBuffer.allocate(4096 * 8).order(ByteOrder.nativeOrder());
    filter.putShort((short) 0x20).putShort((short) 0).putInt(0);
    filter.putShort((short) 0x15).put((byte) 0).put((byte) 1).putInt(7);
    while (filter.hasRemaining()) {
      filter.putShort((short) 0x06).putShort((short) 0).putInt(ALLOW);
    }
    filter.putInt(3 * 8 + 4, 0); // number 7 is not allowed
    filter.putInt(2 * 8 + 4, 0x50001);
    filter.putInt(3 * 8 + 4, ALLOW);
    assertArrayEquals(filter.array(), FilterTree.before(filter.array()));
  }
}
