package dev.muelle.services.acm;

import dev.muelle.services.TagRules;
import dev.muelle.services.acm.State.Held;
import dev.muelle.store.Store;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.acm.model.AddTagsToCertificateRequest;
import software.amazon.awssdk.services.acm.model.AddTagsToCertificateResponse;
import software.amazon.awssdk.services.acm.model.InvalidTagException;
import software.amazon.awssdk.services.acm.model.ListTagsForCertificateRequest;
import software.amazon.awssdk.services.acm.model.ListTagsForCertificateResponse;
import software.amazon.awssdk.services.acm.model.RemoveTagsFromCertificateRequest;
import software.amazon.awssdk.services.acm.model.RemoveTagsFromCertificateResponse;
import software.amazon.awssdk.services.acm.model.Tag;
import software.amazon.awssdk.services.acm.model.TooManyTagsException;

/** Tags of certificates. */
final class Tags {

  private static final int MAX = 50;

  private final Store store;

  Tags(Store store) {
    this.store = store;
  }

  /** Checks tags as a request brings them. */
  static void check(List<Tag> tags) {
    Set<String> keys = new HashSet<>();
    for (Tag tag : tags) {
      String key = tag.key() == null ? "" : tag.key();
      String value = tag.value() == null ? "" : tag.value();
      boolean wrong = !TagRules.isKey(key) || !TagRules.isValue(value) || TagRules.isReserved(key);
      if (wrong || !keys.add(key)) {
        throw InvalidTagException.builder()
            .message(
                wrong
                    ? "The tag with key '" + key + "' is not valid"
                    : "The tag key '" + key + "' is specified twice")
            .build();
      }
    }
    if (tags.size() > MAX) {
      throw TooManyTagsException.builder()
          .message("A certificate can have at most " + MAX + " tags")
          .build();
    }
  }

  AddTagsToCertificateResponse add(AddTagsToCertificateRequest request) {
    check(request.tags());
    change(
        request.certificateArn(),
        tags -> {
          Map<String, Tag> all = new LinkedHashMap<>();
          tags.forEach(tag -> all.put(tag.key(), tag));
          request.tags().forEach(tag -> all.put(tag.key(), tag));
          check(List.copyOf(all.values()));
          return List.copyOf(all.values());
        });
    return AddTagsToCertificateResponse.builder().build();
  }

  /** A tag with a value is removed only if it has that value. */
  RemoveTagsFromCertificateResponse remove(RemoveTagsFromCertificateRequest request) {
    change(
        request.certificateArn(),
        tags ->
            tags.stream()
                .filter(tag -> request.tags().stream().noneMatch(gone -> covers(gone, tag)))
                .toList());
    return RemoveTagsFromCertificateResponse.builder().build();
  }

  private static boolean covers(Tag gone, Tag tag) {
    return tag.key().equals(gone.key())
        && (gone.value() == null || gone.value().equals(tag.value()));
  }

  ListTagsForCertificateResponse list(ListTagsForCertificateRequest request) {
    List<Tag> tags = store.read(tx -> Refuse.unlessThere(tx, request.certificateArn())).tags();
    return ListTagsForCertificateResponse.builder().tags(tags).build();
  }

  private void change(@Nullable String arn, UnaryOperator<List<Tag>> step) {
    store.write(tx -> {
      Held held = Refuse.unlessThere(tx, arn);
      return tx.put(
          State.CERTIFICATES, held.detail().certificateArn(), held.with(step.apply(held.tags())));
    });
  }
}
