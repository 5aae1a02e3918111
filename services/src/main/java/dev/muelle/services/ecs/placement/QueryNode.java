package dev.muelle.services.ecs.placement;

import dev.muelle.services.ecs.placement.ClusterQuery.Subject;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A part of an expression. */
sealed interface QueryNode {

  boolean holds(Subject subject);

  record And(QueryNode left, QueryNode right) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return left.holds(subject) && right.holds(subject);
    }
  }

  record Or(QueryNode left, QueryNode right) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return left.holds(subject) || right.holds(subject);
    }
  }

  record Not(QueryNode inner) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return !inner.holds(subject);
    }
  }

  /** Whether one text is, belongs to, matches or is ordered towards the argument. */
  record AttributeIs(String name, boolean negated, Predicate<String> test) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      String value = subject.attribute(name);
      return value != null && test.test(value) != negated;
    }
  }

  record AttributeExists(String name, boolean negated) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return (subject.attribute(name) != null) != negated;
    }
  }

  record GroupIs(boolean negated, Predicate<String> test) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      Set<String> groups = subject.taskGroups();
      return !groups.isEmpty() && any(groups) != negated;
    }

    private boolean any(Set<String> groups) {
      if (test instanceof OneOf oneOf) {
        for (String value : oneOf.values()) {
          if (groups.contains(value)) {
            return true;
          }
        }
        return false;
      }
      for (String group : groups) {
        if (test.test(group)) {
          return true;
        }
      }
      return false;
    }
  }

  record GroupExists(boolean negated) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return subject.taskGroups().isEmpty() == negated;
    }
  }

  record InstanceIdIs(boolean negated, Predicate<String> test) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return test.test(subject.ec2InstanceId()) != negated;
    }
  }

  record ConnectedIs(boolean negated, Predicate<String> test) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return test.test(String.valueOf(subject.agentConnected())) != negated;
    }
  }

  record VersionIs(Order order, String version) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return order.accepts(Versions.compare(subject.agentVersion(), version));
    }
  }

  record RegisteredIs(Order order, Instant at) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return order.accepts(subject.registeredAt().compareTo(at));
    }
  }

  record RunningIs(Order order, long count) implements QueryNode {
    @Override
    public boolean holds(Subject subject) {
      return order.accepts(Long.compare(subject.runningTasksCount(), count));
    }
  }

  /** What a comparison's sign must be. */
  enum Order {
    EQUAL,
    NOT_EQUAL,
    GREATER,
    GREATER_OR_EQUAL,
    LESS,
    LESS_OR_EQUAL;

    boolean accepts(int sign) {
      return switch (this) {
        case EQUAL -> sign == 0;
        case NOT_EQUAL -> sign != 0;
        case GREATER -> sign > 0;
        case GREATER_OR_EQUAL -> sign >= 0;
        case LESS -> sign < 0;
        case LESS_OR_EQUAL -> sign <= 0;
      };
    }
  }

  /** Numbers as numbers, anything else as text. */
  record Ordered(Order order, String argument) implements Predicate<String> {
    @Override
    public boolean test(String value) {
      Double left = number(value);
      Double right = number(argument);
      return order.accepts(
          left != null && right != null ? left.compareTo(right) : value.compareTo(argument));
    }

    private static @Nullable Double number(String text) {
      if (text.isEmpty() || !text.matches("[+-]?[0-9]+(\\.[0-9]+)?")) {
        return null;
      }
      return Double.valueOf(text);
    }
  }

  record OneOf(List<String> values) implements Predicate<String> {
    @Override
    public boolean test(String value) {
      return values.contains(value);
    }
  }

  /** Remembers answers: thousands of instances have tasks of the same few groups. */
  record Remembered(Predicate<String> test, Map<String, Boolean> answers)
      implements Predicate<String> {

    private static final int MOST = 10_000;

    Remembered(Predicate<String> test) {
      this(test, new ConcurrentHashMap<>());
    }

    @Override
    public boolean test(String value) {
      Boolean known = answers.get(value);
      if (known != null) {
        return known;
      }
      boolean answer = test.test(value);
      if (answers.size() < MOST) {
        answers.put(value, answer);
      }
      return answer;
    }
  }

  /** A whole match; one that takes too long to find is none. */
  record Matches(Pattern pattern) implements Predicate<String> {
    @Override
    public boolean test(String value) {
      try {
        return pattern.matcher(new Patient(value)).matches();
      } catch (Patient.GaveUp e) {
        return false;
      }
    }
  }
}
