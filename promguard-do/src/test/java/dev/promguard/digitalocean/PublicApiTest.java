package dev.promguard.digitalocean;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No type of another library stands in a signature that a user sees. */
class PublicApiTest {
    private static final List<String> OWN = List.of("dev.promguard.", "java.", "org.jspecify.annotations.");

    /** What a class shows to others: itself, its members, and the classes in it. */
    private static Set<String> foreignIn(Class<?> type) {
        Set<Class<?>> shown = new HashSet<>();
        collect(type.getGenericSuperclass(), shown);
        Stream.of(type.getGenericInterfaces()).forEach(one -> collect(one, shown));
        Stream.of(type.getTypeParameters()).forEach(one -> collect(one, shown));
        annotations(type, shown);
        for (Field field : type.getDeclaredFields()) {
            if (isSeen(field.getModifiers())) {
                collect(field.getGenericType(), shown);
                annotations(field, shown);
            }
        }
        List<Executable> callables = new ArrayList<>(List.of(type.getDeclaredConstructors()));
        callables.addAll(List.of(type.getDeclaredMethods()));
        for (Executable callable : callables) {
            if (isSeen(callable.getModifiers()) && !callable.isSynthetic()) {
                Stream.of(callable.getGenericParameterTypes()).forEach(one -> collect(one, shown));
                Stream.of(callable.getGenericExceptionTypes()).forEach(one -> collect(one, shown));
                Stream.of(callable.getTypeParameters()).forEach(one -> collect(one, shown));
                annotations(callable, shown);
                if (callable instanceof Method method) {
                    collect(method.getGenericReturnType(), shown);
                }
            }
        }
        Set<String> foreign = new TreeSet<>();
        for (Class<?> one : shown) {
            String name = one.getName();
            boolean own = one.isPrimitive() || OWN.stream().anyMatch(name::startsWith);
            if (!own || name.contains(".internal.")) {
                foreign.add(type.getName() + " shows " + name);
            }
        }
        return foreign;
    }

    private static boolean isSeen(int modifiers) {
        return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
    }

    private static void annotations(AnnotatedElement element, Set<Class<?>> shown) {
        Stream.of(element.getAnnotations()).forEach(one -> shown.add(one.annotationType()));
    }

    private static void collect(Type type, Set<Class<?>> shown) {
        if (type instanceof Class<?> plain) {
            shown.add(plain.isArray() ? plain.getComponentType() : plain);
        } else if (type instanceof ParameterizedType parameterized) {
            collect(parameterized.getRawType(), shown);
            Stream.of(parameterized.getActualTypeArguments()).forEach(one -> collect(one, shown));
        } else if (type instanceof GenericArrayType array) {
            collect(array.getGenericComponentType(), shown);
        } else if (type instanceof WildcardType wildcard) {
            Stream.of(wildcard.getUpperBounds()).forEach(one -> collect(one, shown));
            Stream.of(wildcard.getLowerBounds()).forEach(one -> collect(one, shown));
        } else if (type instanceof TypeVariable<?> variable) {
            Stream.of(variable.getBounds()).filter(Class.class::isInstance).forEach(one -> collect(one, shown));
        }
    }

    private static List<Class<?>> publicClasses() throws IOException, URISyntaxException {
        Path root = Path.of(DigitalOcean.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (Stream<Path> files = Files.walk(root)) {
            return files.map(file -> root.relativize(file).toString().replace('\\', '/'))
                    .filter(file -> file.endsWith(".class") && !file.contains("/internal/"))
                    .map(file -> load(file.replace('/', '.').replaceAll("\\.class$", "")))
                    .filter(type -> isSeen(type.getModifiers()))
                    .<Class<?>>map(Function.identity())
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, DigitalOcean.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void publicSignatures_showNoTypeOfAnotherLibrary() throws Exception {
        assertThat(publicClasses()).contains(DigitalOcean.class, DigitalOcean.Builder.class);
        for (Class<?> type : publicClasses()) {
            assertThat(foreignIn(type)).isEmpty();
        }
    }

    @Test
    void theCheckItself_seesWhatItIsToSee() {
        assertThat(foreignIn(ShowsForeign.class))
                .containsExactly(
                        ShowsForeign.class.getName() + " shows com.fasterxml.jackson.databind.JsonNode",
                        ShowsForeign.class.getName() + " shows okhttp3.OkHttpClient",
                        ShowsForeign.class.getName() + " shows okhttp3.Request",
                        ShowsForeign.class.getName() + " shows okhttp3.Response");
    }

    /** Shows types of other libraries in the places where they hide. */
    public abstract static class ShowsForeign {
        /** Made by subclasses. */
        protected ShowsForeign() {}

        /** In a type argument. */
        public abstract List<? extends okhttp3.Request> hidden();

        /** In an array. */
        protected abstract void hidden(okhttp3.Response[] responses);

        /** In the bound of a type variable. */
        public abstract <T extends okhttp3.OkHttpClient> void bound(List<T> clients);

        /** Plain. */
        public abstract com.fasterxml.jackson.databind.JsonNode plain();

        /** Not shown. */
        abstract okio.Buffer notShown();
    }
}
