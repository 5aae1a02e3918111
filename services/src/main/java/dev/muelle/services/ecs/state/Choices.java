package dev.muelle.services.ecs.state;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;

/**
 * Members that can have certain values only. The SDK gives what it does not know as UNKNOWN, which
 * is no value of its own and easily taken for none; so that nothing of it is taken in silence,
 * requests are looked through before anything is done.
 */
public final class Choices {

  /** The members of a class, with the values of those that are chosen from some. */
  private static final ClassValue<List<Member>> MEMBERS =
      new ClassValue<>() {
        @Override
        protected List<Member> computeValue(Class<?> type) {
          return members(type);
        }
      };

  private record Member(SdkField<?> field, @Nullable Set<String> values) {}

  private Choices() {}

  /**
   * The request, if it says nothing that its members cannot be.
   *
   * @throws software.amazon.awssdk.services.ecs.model.InvalidParameterException in ECS's words, as
   *     {@code launch type should be one of [EC2,FARGATE]}
   */
  public static <T extends SdkPojo> T known(T request) {
    for (Member member : MEMBERS.get(request.getClass())) {
      check(member, member.field().getValueOrDefault(request));
    }
    return request;
  }

  private static void check(Member member, @Nullable Object value) {
    switch (value) {
      case null -> {}
      case SdkPojo pojo -> known(pojo);
      case Collection<?> items -> items.forEach(item -> check(member, item));
      case Map<?, ?> entries -> entries.values().forEach(entry -> check(member, entry));
      case String text when member.values() != null && !member.values().contains(text) ->
          throw Refuse.invalid(
              words(member.field().memberName())
                  + " should be one of ["
                  + String.join(",", member.values())
                  + "]");
      default -> {}
    }
  }

  /** {@code launchType} as ECS says it: launch type. */
  private static String words(String member) {
    return member.replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
  }

  private static List<Member> members(Class<?> type) {
    try {
      SdkPojo builder = (SdkPojo) type.getMethod("builder").invoke(null);
      List<Member> members = new ArrayList<>();
      for (SdkField<?> field : builder.sdkFields()) {
        members.add(new Member(field, values(type, field)));
      }
      return List.copyOf(members);
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(type + " is no class of the SDK's model", e);
    }
  }

  /** The values of a member whose getter gives constants of an enum; null for any other. */
  private static @Nullable Set<String> values(Class<?> type, SdkField<?> field) {
    for (Method getter : type.getMethods()) {
      if (getter.getParameterCount() == 0
          && !Modifier.isStatic(getter.getModifiers())
          && getter.getName().equals(field.memberName())) {
        return constants(getter.getGenericReturnType());
      }
    }
    return null;
  }

  private static @Nullable Set<String> constants(Type type) {
    if (type instanceof ParameterizedType several) {
      return constants(
          several.getActualTypeArguments()[several.getActualTypeArguments().length - 1]);
    }
    if (!(type instanceof Class<?> one) || !one.isEnum()) {
      return null;
    }
    Set<String> values = new LinkedHashSet<>();
    Arrays.stream(one.getEnumConstants())
        .filter(constant -> !((Enum<?>) constant).name().equals("UNKNOWN_TO_SDK_VERSION"))
        .forEach(constant -> values.add(constant.toString()));
    return values;
  }
}
