"""The areas of core stand on each other in one order, and plugins on core's public headers alone."""
import os
import pathlib
import re

AREAS = 'util loop codec net tls http io record cli datagram store plugin'.split()
SOURCE = pathlib.Path(os.environ['NETKIT_SOURCE'])


def includes(folder):
    for file in sorted((SOURCE / folder).rglob('*.[ch]pp')):
        for path in re.findall(r'^#include ["<]([^">]+)', file.read_text(), re.MULTILINE):
            yield file.relative_to(SOURCE / folder), path


def test_an_area_includes_only_what_stands_before_it():
    for folder in ('core/include/netkit', 'core/runtime', 'core/src'):
        wrong = [f'{folder}/{file}: {path}' for file, path in includes(folder)
                 for area in path.removeprefix('netkit/').split('/')[:-1]
                 if file.parts[0] in AREAS and area in AREAS
                 and AREAS.index(area) > AREAS.index(file.parts[0])]
        assert not wrong, '\n'.join(wrong)


def test_a_plugin_includes_only_itself_and_public_headers():
    foreign = {path.name for folder in ('core/runtime', 'core/src', 'plugins') for path in (SOURCE / folder).iterdir()}
    wrong = [f'plugins/{file}: {path}' for file, path in includes('plugins')
             if path.split('/')[0] in foreign - {file.parts[0]}]
    assert not wrong, '\n'.join(wrong)


def test_the_executable_and_what_it_includes_keep_to_public_headers_and_the_runtime():
    runtime = {str(path.relative_to(SOURCE / 'core/runtime')) for path in (SOURCE / 'core/runtime').rglob('*.hpp')}
    private = {str(path.relative_to(SOURCE / 'core/src')) for path in (SOURCE / 'core/src').rglob('*.hpp')}
    assert not runtime & private
    wrong = [f'{folder}/{file}: {path}' for folder in ('core/include', 'core/runtime', 'tools/netkit')
             for file, path in includes(folder) if path in private | (runtime if folder == 'core/include' else set())]
    assert not wrong, '\n'.join(wrong)
