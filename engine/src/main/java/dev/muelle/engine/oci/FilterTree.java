package dev.muelle.engine.oci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes a compiled filter of system calls quick to load. libseccomp compares a call's number with
 * one after the other, and when a filter is loaded the kernel runs it for each number there is, to
 * know those that are always allowed: half a millisecond for each container. Here a search tree
 * stands before the filter, which decides what depends on nothing but the number; everything else
 * is left to the filter, which follows as it was.
 *
 * @see <a href="https://docs.kernel.org/userspace-api/seccomp_filter.html">Seccomp BPF</a>
 */
final class FilterTree {

  private static final int LOAD = 0x20; // of four bytes of what the filter looks at
  private static final int AND = 0x54;
  private static final int JUMP = 0x05;
  private static final int IF_EQUAL = 0x15;
  private static final int IF_GREATER = 0x25;
  private static final int IF_NOT_LESS = 0x35;
  private static final int IF_SET = 0x45;
  private static final int RETURN = 0x06;

  private static final int NUMBER_AT = 0;
  private static final int ARCHITECTURE_AT = 4;

  private static final int SIZE = 8; // bytes of an instruction
  private static final int MOST = 4096; // instructions; BPF_MAXINSNS
  private static final int NUMBERS = 1024; // more than any architecture has
  private static final int FEW = 8; // ranges of an architecture that the filter does not know
  private static final int FARTHEST = 255; // of a conditional jump

  /** AUDIT_ARCH_X86_64, _I386, _AARCH64 and _ARM; see linux/audit.h. */
  private static final List<Integer> ARCHITECTURES =
      List.of(0xC000003E, 0x40000003, 0xC00000B7, 0x40000028);

  private record Instruction(int code, int yes, int no, int value) {}

  /**
   * Numbers with the same answer.
   *
   * @param answer null where it depends on more than the number
   */
  private record Range(int first, @Nullable Integer answer) {}

  private final List<Instruction> filter;

  private FilterTree(List<Instruction> filter) {
    this.filter = filter;
  }

  /** The same filter with a tree before it; as it is, if that would be too long. */
  static byte[] before(byte[] compiled) {
    List<Instruction> filter = read(compiled);
    List<Instruction> whole = new FilterTree(filter).planted();
    return whole.size() > MOST ? compiled : write(whole);
  }

  private static List<Instruction> read(byte[] compiled) {
    ByteBuffer in = ByteBuffer.wrap(compiled).order(ByteOrder.nativeOrder());
    List<Instruction> all = new ArrayList<>();
    while (in.remaining() >= SIZE) {
      int code = Short.toUnsignedInt(in.getShort());
      int yes = Byte.toUnsignedInt(in.get());
      int no = Byte.toUnsignedInt(in.get());
      all.add(new Instruction(code, yes, no, in.getInt()));
    }
    return all;
  }

  private static byte[] write(List<Instruction> all) {
    ByteBuffer out = ByteBuffer.allocate(all.size() * SIZE).order(ByteOrder.nativeOrder());
    for (Instruction one : all) {
      out.putShort((short) one.code()).put((byte) one.yes()).put((byte) one.no());
      out.putInt(one.value());
    }
    return out.array();
  }

  /** From the end to the beginning, so that what jumps forward knows how far. */
  private List<Instruction> planted() {
    List<Instruction> whole = new ArrayList<>(filter);
    for (int architecture : ARCHITECTURES) {
      List<Range> ranges = ranges(architecture);
      if (ranges.size() > FEW) {
        List<Instruction> tree = tree(ranges, whole.size());
        List<Instruction> block = new ArrayList<>();
        block.add(new Instruction(LOAD, 0, 0, ARCHITECTURE_AT));
        block.add(new Instruction(IF_EQUAL, 1, 0, architecture));
        block.add(new Instruction(JUMP, 0, 0, tree.size() + 1));
        block.add(new Instruction(LOAD, 0, 0, NUMBER_AT));
        block.addAll(tree);
        block.addAll(whole);
        whole = block;
      }
    }
    return whole;
  }

  private List<Range> ranges(int architecture) {
    List<Range> ranges = new ArrayList<>();
    for (int number = 0; number < NUMBERS; number++) {
      Integer answer = answer(architecture, number);
      if (ranges.isEmpty() || !Objects.equals(ranges.getLast().answer(), answer)) {
        ranges.add(new Range(number, answer));
      }
    }
    if (ranges.getLast().answer() != null) {
      ranges.add(new Range(NUMBERS, null)); // nobody has looked at those
    }
    return ranges;
  }

  /** What the filter says of a call; null if it looks at more than architecture and number. */
  private @Nullable Integer answer(int architecture, int number) {
    int loaded = 0;
    for (int at = 0; at < filter.size(); at++) {
      Instruction one = filter.get(at);
      boolean holds = false;
      switch (one.code()) {
        case LOAD -> {
          if (one.value() != NUMBER_AT && one.value() != ARCHITECTURE_AT) {
            return null;
          }
          loaded = one.value() == NUMBER_AT ? number : architecture;
          continue;
        }
        case AND -> {
          loaded &= one.value();
          continue;
        }
        case JUMP -> {
          at += one.value();
          continue;
        }
        case RETURN -> {
          return one.value();
        }
        case IF_EQUAL -> holds = loaded == one.value();
        case IF_GREATER -> holds = Integer.compareUnsigned(loaded, one.value()) > 0;
        case IF_NOT_LESS -> holds = Integer.compareUnsigned(loaded, one.value()) >= 0;
        case IF_SET -> holds = (loaded & one.value()) != 0;
        default -> {
          return null; // libseccomp does not write it
        }
      }
      at += holds ? one.yes() : one.no();
    }
    return null; // the kernel takes no filter that ends like this
  }

  /**
   * A tree that decides by the loaded number.
   *
   * @param behind how many instructions there are between the tree's end and the filter's
   */
  private List<Instruction> tree(List<Range> ranges, int behind) {
    if (ranges.size() == 1) {
      Integer answer = ranges.getFirst().answer();
      return List.of(
          answer == null
              ? new Instruction(JUMP, 0, 0, behind - filter.size())
              : new Instruction(RETURN, 0, 0, answer));
    }
    int middle = ranges.size() / 2;
    List<Instruction> high = tree(ranges.subList(middle, ranges.size()), behind);
    List<Instruction> low = tree(ranges.subList(0, middle), behind + high.size());
    List<Instruction> all = new ArrayList<>();
    int border = ranges.get(middle).first();
    if (low.size() <= FARTHEST) {
      all.add(new Instruction(IF_NOT_LESS, low.size(), 0, border));
    } else {
      all.add(new Instruction(IF_NOT_LESS, 0, 1, border));
      all.add(new Instruction(JUMP, 0, 0, low.size()));
    }
    all.addAll(low);
    all.addAll(high);
    return all;
  }
}
