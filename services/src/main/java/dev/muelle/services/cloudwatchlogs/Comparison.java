package dev.muelle.services.cloudwatchlogs;

import com.google.re2j.Pattern;
import java.math.BigDecimal;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An operator and what stands to its right, in patterns for JSON and for columns.
 *
 * <p>Text matches as a whole, with an asterisk at its start or end for anything. Numbers may have a
 * sign, a fraction and an exponent.
 */
record Comparison(Operator operator, Operand operand) implements Predicate<Comparison.Value> {

  /** The quota of regular expressions in one pattern. */
  static final int MOST_EXPRESSIONS = 2;

  private static final int LONGEST_NUMBER = 1_000;

  /** In the order in which they have to be tried. */
  enum Operator {
    NOT_EQUAL("!="),
    AT_LEAST(">="),
    AT_MOST("<="),
    EQUAL("="),
    GREATER(">"),
    LESS("<");

    private final String sign;

    Operator(String sign) {
      this.sign = sign;
    }

    static @Nullable Operator read(PatternReader in) {
      for (Operator operator : values()) {
        if (in.accept(operator.sign)) {
          return operator;
        }
      }
      return null;
    }

    boolean holds(int order) {
      return switch (this) {
        case EQUAL -> order == 0;
        case NOT_EQUAL -> order != 0;
        case GREATER -> order > 0;
        case LESS -> order < 0;
        case AT_LEAST -> order >= 0;
        case AT_MOST -> order <= 0;
      };
    }
  }

  /** What a value is compared with. */
  sealed interface Operand {
    record Text(String text) implements Operand {}

    /**
     * A number.
     *
     * @param text as it was written, for values that are text
     */
    record Numeric(BigDecimal number, String text) implements Operand {}

    record Expression(Pattern pattern) implements Operand {}
  }

  /**
   * A value of an event.
   *
   * @param number null if it is none
   */
  record Value(String text, @Nullable BigDecimal number) {

    /** Text that is a number if it looks like one. */
    static Value of(String text) {
      return new Value(text, Comparison.number(text));
    }
  }

  /** Reads operator and operand; {@code null} if no operator comes next. */
  static @Nullable Comparison read(PatternReader in, Expressions expressions) {
    Operator operator = Operator.read(in);
    if (operator == null) {
      return null;
    }
    in.skipBlanks();
    Operand operand =
        switch (in.peek()) {
          case '"' -> new Operand.Text(in.quoted('"'));
          case '%' -> new Operand.Expression(expressions.compile(in.betweenPercents()));
          default -> bare(in.run(".*+-"));
        };
    boolean ordering = operator != Operator.EQUAL && operator != Operator.NOT_EQUAL;
    if (ordering && !(operand instanceof Operand.Numeric)) {
      throw PatternReader.invalid();
    }
    return new Comparison(operator, operand);
  }

  private static Operand bare(String text) {
    BigDecimal number = number(text);
    return number == null ? new Operand.Text(text) : new Operand.Numeric(number, text);
  }

  @Override
  public boolean test(Value value) {
    return switch (operand) {
      case Operand.Text(String text) -> matches(text, value.text()) == equal();
      case Operand.Expression(Pattern pattern) -> pattern.matcher(value.text()).find() == equal();
      case Operand.Numeric(BigDecimal number, String text) -> {
        BigDecimal actual = value.number();
        if (actual != null) {
          yield operator.holds(actual.compareTo(number));
        }
        yield switch (operator) {
          case EQUAL -> value.text().equals(text);
          case NOT_EQUAL -> !value.text().equals(text);
          case GREATER, LESS, AT_LEAST, AT_MOST -> false;
        };
      }
    };
  }

  /** Texts that each value has that satisfies it. */
  List<String> needs() {
    if (operator != Operator.EQUAL) {
      return List.of();
    }
    return switch (operand) {
      case Operand.Text(String text) -> List.of(middle(text));
      case Operand.Expression(Pattern pattern) -> Literals.of(pattern.pattern());
      case Operand.Numeric numeric -> List.of(); // they can be written in many ways
    };
  }

  private boolean equal() {
    return operator == Operator.EQUAL;
  }

  private static boolean matches(String wanted, String actual) {
    boolean anyBefore = anyBefore(wanted);
    boolean anyAfter = anyAfter(wanted);
    String middle = middle(wanted);
    if (anyBefore && anyAfter) {
      return actual.contains(middle);
    }
    if (anyBefore) {
      return actual.endsWith(middle);
    }
    return anyAfter ? actual.startsWith(middle) : actual.equals(middle);
  }

  private static boolean anyBefore(String wanted) {
    return wanted.startsWith("*");
  }

  private static boolean anyAfter(String wanted) {
    return wanted.length() > 1 && wanted.endsWith("*");
  }

  private static String middle(String wanted) {
    return wanted.substring(
        anyBefore(wanted) ? 1 : 0, wanted.length() - (anyAfter(wanted) ? 1 : 0));
  }

  static @Nullable BigDecimal number(String text) {
    boolean candidate =
        !text.isEmpty()
            && text.length() <= LONGEST_NUMBER
            && "+-.0123456789".indexOf(text.charAt(0)) >= 0;
    if (!candidate) {
      return null;
    }
    try {
      return new BigDecimal(text);
    } catch (NumberFormatException e) {
      return null;
    }
  }
}
