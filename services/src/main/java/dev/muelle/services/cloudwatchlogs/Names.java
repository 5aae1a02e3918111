package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What groups and streams are called, and how requests say which one they mean. */
final class Names {

  private static final Pattern GROUP = Pattern.compile("[.\\-_/#A-Za-z0-9]+");
  private static final Pattern STREAM = Pattern.compile("[^:*]+");
  private static final int LONGEST = 512;

  private final Scope scope;

  Names(Scope scope) {
    this.scope = scope;
  }

  /** The form that tags are put on; others have {@code :*} after it. */
  String arn(String group) {
    return scope.arn("logs", "log-group:" + group);
  }

  /** The form in which live tails say where an event is from: account and name. */
  String identifier(String group) {
    return scope.account() + ":" + group;
  }

  /** The group that a request names in one of its two ways, but not in both. */
  String meant(@Nullable String name, @Nullable String identifier) {
    if (name != null && identifier != null) {
      throw Refuse.invalid(
          "LogGroup name and LogGroup identifier are mutually exclusive parameters.");
    }
    if (name == null && identifier == null) {
      throw Refuse.invalid("Either logGroupName or logGroupIdentifier must be specified.");
    }
    return identifier == null ? group(name, "logGroupName") : identified(identifier);
  }

  /** The group's name in a name or an ARN, with or without {@code :*}. */
  String identified(String identifier) {
    if (!identifier.startsWith("arn:")) {
      return group(identifier, "logGroupIdentifier");
    }
    String prefix = arn("");
    if (!identifier.startsWith(prefix)) {
      throw Refuse.noGroup(); // of another account, region or service
    }
    String name = identifier.substring(prefix.length());
    return group(
        name.endsWith(":*") ? name.substring(0, name.length() - 2) : name, "logGroupIdentifier");
  }

  /** The group that a tagged resource is. */
  String tagged(@Nullable String arn) {
    if (arn == null || !arn.startsWith("arn:")) {
      throw Refuse.constraint(arn, "resourceArn", "Member must be an ARN");
    }
    String prefix = arn("");
    String name = arn.startsWith(prefix) ? arn.substring(prefix.length()) : "";
    if (!GROUP.matcher(name).matches()) {
      throw Refuse.noResource();
    }
    return name;
  }

  static String group(@Nullable String name, String member) {
    return checked(name, member, GROUP, "[\\.\\-_/#A-Za-z0-9]+");
  }

  static String stream(@Nullable String name, String member) {
    return checked(name, member, STREAM, "[^:*]*");
  }

  private static String checked(
      @Nullable String name, String member, Pattern pattern, String shown) {
    if (name == null) {
      throw Refuse.constraint(null, member, "Member must not be null");
    }
    if (name.isEmpty() || name.length() > LONGEST) {
      throw Refuse.constraint(
          name,
          member,
          name.isEmpty()
              ? "Member must have length greater than or equal to 1"
              : "Member must have length less than or equal to " + LONGEST);
    }
    if (!pattern.matcher(name).matches()) {
      throw Refuse.constraint(
          name, member, "Member must satisfy regular expression pattern: " + shown);
    }
    return name;
  }

  static Group require(Tx tx, String name) {
    return tx.get(Tables.GROUPS, name).map(Row::value).orElseThrow(Refuse::noGroup);
  }

  static Stream requireStream(Tx tx, Group group, String name) {
    return tx.get(Tables.STREAMS, Tables.streamKey(group, name))
        .map(Row::value)
        .orElseThrow(Refuse::noStream);
  }

  static int limit(@Nullable Integer limit, int otherwise, int most) {
    if (limit == null) {
      return otherwise;
    }
    if (limit < 1 || limit > most) {
      throw Refuse.constraint(
          limit,
          "limit",
          limit < 1
              ? "Member must have value greater than or equal to 1"
              : "Member must have value less than or equal to " + most);
    }
    return limit;
  }

  /** A time in epoch milliseconds. */
  static long time(@Nullable Long time, String member, long otherwise) {
    if (time == null) {
      return otherwise;
    }
    if (time < 0) {
      throw Refuse.constraint(time, member, "Member must have value greater than or equal to 0");
    }
    return time;
  }
}
