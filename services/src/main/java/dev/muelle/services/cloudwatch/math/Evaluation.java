package dev.muelle.services.cloudwatch.math;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/** What expressions are worth in one request: pure, but for what its {@link World} tells it. */
final class Evaluation {

  /** What an expression can refer to. */
  interface World {
    /** The result of another query of the request. */
    Value reference(String id);

    /** The request's metrics (not its expressions) whose id contains this text. */
    List<TimeSeries> metrics(String part);

    List<TimeSeries> search(String query, String statistic, int period);

    /** Where the first period of so many seconds begins that can have a value: epoch second. */
    long from(int period);

    /** The end of what can have a value: epoch second, exclusive. */
    long to();

    /** Seconds, for series that are made of nothing. */
    int period();
  }

  private final World world;

  Evaluation(World world) {
    this.world = world;
  }

  Value of(Node node) {
    return switch (node) {
      case Node.Literal number -> new Value.Scalar(number.number());
      case Node.Text text -> new Value.Text(text.text());
      case Node.Word word -> new Value.Word(word.word());
      case Node.Reference reference -> world.reference(reference.id());
      case Node.Negative negative -> negative(of(negative.operand()));
      case Node.Binary binary -> binary(binary.operator(), of(binary.left()), of(binary.right()));
      case Node.Array array -> array(array.elements());
      case Node.Call call -> Functions.call(this, world, call);
    };
  }

  private Value array(List<Node> elements) {
    List<TimeSeries> series = new ArrayList<>();
    for (Node element : elements) {
      switch (of(element)) {
        case Value.One one -> series.add(one.series());
        case Value.Many many -> series.addAll(many.series());
        case Value other -> throw new MathException("An array cannot hold a " + other.type());
      }
    }
    return new Value.Many(series);
  }

  private static Value negative(Value operand) {
    return binary(Operator.MINUS, new Value.Scalar(0), operand);
  }

  static Value binary(Operator operator, Value left, Value right) {
    return switch (left) {
      case Value.Scalar a ->
          switch (right) {
            case Value.Scalar b -> new Value.Scalar(operator.apply(a.number(), b.number()));
            case Value.One b ->
                new Value.One(b.series().map(value -> operator.apply(a.number(), value)));
            case Value.Many b -> new Value.Many(each(b, operator, left, true));
            case Value.Text _, Value.Word _ -> throw unsupported(operator, left, right);
          };
      case Value.One a ->
          switch (right) {
            case Value.Scalar b ->
                new Value.One(a.series().map(value -> operator.apply(value, b.number())));
            case Value.One b -> new Value.One(binary(operator, a.series(), b.series()));
            case Value.Many b -> new Value.Many(each(b, operator, left, true));
            case Value.Text _, Value.Word _ -> throw unsupported(operator, left, right);
          };
      case Value.Many a ->
          switch (right) {
            case Value.Scalar _, Value.One _ -> new Value.Many(each(a, operator, right, false));
            case Value.Many _, Value.Text _, Value.Word _ ->
                throw unsupported(operator, left, right);
          };
      case Value.Text _, Value.Word _ -> throw unsupported(operator, left, right);
    };
  }

  private static List<TimeSeries> each(
      Value.Many many, Operator operator, Value other, boolean otherIsLeft) {
    List<TimeSeries> results = new ArrayList<>();
    for (TimeSeries series : many.series()) {
      Value one = new Value.One(series);
      Value result = otherIsLeft ? binary(operator, other, one) : binary(operator, one, other);
      results.add(((Value.One) result).series().labelled(series.label()));
    }
    return results;
  }

  /**
   * What only one of them has a value for meets a 0, as AWS says of arithmetic and of comparisons;
   * with different periods only what both have a value for is comparable.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html">Using
   *     math expressions with CloudWatch metrics</a>
   */
  private static TimeSeries binary(Operator operator, TimeSeries left, TimeSeries right) {
    TreeSet<Long> seconds = new TreeSet<>(left.points().keySet());
    if (left.period() == right.period()) {
      seconds.addAll(right.points().keySet());
    } else {
      seconds.retainAll(right.points().keySet());
    }
    TreeMap<Long, Double> points = new TreeMap<>();
    for (long second : seconds) {
      double one = left.points().getOrDefault(second, 0.0);
      double other = right.points().getOrDefault(second, 0.0);
      TimeSeries.put(points, second, operator.apply(one, other));
    }
    return new TimeSeries(
        left.label(), Math.max(left.period(), right.period()), points, left.about());
  }

  private static MathException unsupported(Operator operator, Value left, Value right) {
    return new MathException(
        "Unsupported operand type(s) for "
            + operator
            + ": '"
            + left.type()
            + "' and '"
            + right.type()
            + "'");
  }
}
